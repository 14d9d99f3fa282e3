"""What a sender holds in memory: a short queue for each target, so that a slow one delays nobody else.

Everything here happens at once, in the event loop: nothing is read and nothing is written. What there is no
room for, or what its target does not take now, becomes a result like any other (`SetAside`), for the sender
to write.

A delivery is carried only while enough of its lease is left for it; one that waited longer is forgotten, and
comes back by its due time. So two senders never carry one at the same time, as long as their clocks differ by
less than the margin.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import groupby

import structlog

from services.notifications.deliveries.carrier import Carrier
from services.notifications.deliveries.domain.delivery import Again, Item, Result, SetAside
from shared.clock import Clock
from shared.pace import Pace

# Beyond it no target may hold more than its due: what hangs must not fill the memory of what does not.
HELD_MAX = 10_000
OWN_FAULT_DELAY_S = 30.0

log = structlog.get_logger()


class Queues:
    """`on_result` gets each delivery with what came of it."""

    def __init__(
        self,
        carrier: Carrier,
        clock: Clock,
        *,
        clock_margin_s: float,
        on_result: Callable[[Item, Result], None],
        pace: Pace,
    ) -> None:
        self._carrier, self._clock, self._on_result = carrier, clock, on_result
        self._pace = pace
        self._needed = timedelta(seconds=carrier.carry_s_max + clock_margin_s)
        self._queues: dict[str, deque[Item]] = {}
        self._under_way: Counter[str] = Counter()
        self._keys_under_way: set[str] = set()
        self._held = 0
        self._is_open = False
        self.tasks: set[asyncio.Task[Result | None]] = set()

    def open(self) -> None:
        """From here on what is taken in is carried."""
        self._is_open = True
        for target in tuple(self._queues):
            self._pump(target)

    def close(self) -> None:
        """Nothing more is begun: what waits is set aside."""
        self._is_open = False
        for target in tuple(self._queues):
            self._empty(target, "stopping")

    def take_in(self, items: Iterable[Item]) -> None:
        by_target = sorted(items, key=lambda item: item.target)
        for target, group in groupby(by_target, key=lambda item: item.target):
            self._take_in_for(target, list(group))

    def _take_in_for(self, target: str, items: list[Item]) -> None:
        room = self.room(target)
        reason = "busy" if self._carrier.width(target) else self._carrier.closed_because(target)
        if room > 0:
            self._queues.setdefault(target, deque()).extend(items[:room])
            self._held += len(items[:room])
        for item in items[max(room, 0) :]:
            self._on_result(item, SetAside(reason=reason))
        self._pump(target)

    def room(self, target: str) -> int:
        """How many more may be held for a target."""
        if not self._carrier.width(target):
            return 0
        return self._carrier.room(target, plenty=self._held < HELD_MAX) - self.held(target)

    def held(self, target: str) -> int:
        return len(self._queues.get(target, ())) + self._under_way[target]

    def _pump(self, target: str) -> None:
        """Start as many as the way to the target is wide."""
        queue = self._queues.get(target)
        if not self._is_open or not queue:
            return
        width = self._carrier.width(target)
        if width == 0:
            self._empty(target, self._carrier.closed_because(target))
            return
        while queue and self._under_way[target] < width:
            self._start(queue.popleft())
        if not queue:
            del self._queues[target]

    def _empty(self, target: str, reason: str) -> None:
        for item in self._queues.pop(target, ()):
            self._held -= 1
            self._on_result(item, SetAside(reason=reason))

    def _start(self, item: Item) -> None:
        # Under way already: its lease ran out meanwhile and it was claimed anew. One at a time, here as well.
        if self._is_late(item) or item.key in self._keys_under_way:
            self._held -= 1
            return
        self._under_way[item.target] += 1
        self._keys_under_way.add(item.key)
        task = asyncio.create_task(self._carry(item))
        self.tasks.add(task)
        task.add_done_callback(lambda done: self._carried(item, done))

    def _is_late(self, item: Item) -> bool:
        return self._clock.real() + self._needed > item.leased_until

    async def _carry(self, item: Item) -> Result | None:
        """None: its turn came too late."""
        async with self._pace.turn(f"{self._carrier.channel} deliveries"):
            return None if self._is_late(item) else await self._carrier.carry(item)

    def _carried(self, item: Item, task: asyncio.Task[Result | None]) -> None:
        self.tasks.discard(task)
        self._keys_under_way.discard(item.key)
        self._held -= 1
        self._under_way[item.target] -= 1
        if not self._under_way[item.target]:
            del self._under_way[item.target]
        result = None if task.cancelled() else _result(item, task)
        if result is not None:
            self._on_result(item, result)
        self._pump(item.target)


def _result(item: Item, task: asyncio.Task[Result | None]) -> Result | None:
    error = task.exception()
    if error is None:
        return task.result()
    # A fault of ours: not the target's, so it costs no attempt.
    log.error("delivery_not_carried", delivery=item.id, exc_info=error)
    return Again(after_s=OWN_FAULT_DELAY_S, reason="internal", counts=False)
