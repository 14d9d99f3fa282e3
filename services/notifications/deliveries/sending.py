"""The sender of one channel: from deliveries that are due to their outcomes.

Who is who. The *carrier* knows a channel: how wide the way to a target is now, and how one delivery is
carried. The *ledger* knows where deliveries are. The *sender* keeps a short queue for each target, so that a
slow one delays nobody else, and turns the carrier's results into writes.

What happens in order. New deliveries come by `hand_over` right after their commit, leased to this process
already, and are sent at once: while nothing goes wrong, nothing is looked for and nothing is claimed. What
failed, and what a dead process held, comes back by its due time; what was parked comes back when its target
has room. Results are settled in groups. Then the next of each lane goes out.

A delivery is sent only while enough of its lease is left for the attempt; one that waited too long in memory
is forgotten here and comes back by its due time. So two senders never carry one at the same time, as long as
their clocks differ by less than the margin.

Not needed for correctness: the hand-over. Without it everything goes out a lease later.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from pymongo.errors import PyMongoError

from services.notifications.deliveries.domain.delivery import (
    Again,
    GivenUp,
    Item,
    Result,
    SetAside,
    Taken,
)
from services.notifications.deliveries.ledger import CLAIM_MAX, Ledger
from services.notifications.deliveries.settling import settle_all
from shared.contracts.notifications.delivery import Channel
from shared.errors import Conflict, Unavailable
from shared.service import Runtime
from shared.storage.repository import Unit

SETTLED_TOGETHER_MAX = 100
POLL_S = 0.25
SWEEP_S = 30.0
RETRY_S = 0.2
# Within what a service gives its workers to end.
STOP_S = 8.0
OWN_FAULT_DELAY_S = 30.0
# The clocks of two processes may differ by this much.
CLOCK_MARGIN_S = 5.0

log = structlog.get_logger()


class Carrier(Protocol):
    """How deliveries of one channel are carried. Nothing here may raise for what the world outside does."""

    channel: Channel
    # The longest that one delivery takes.
    carry_s_max: float

    def width(self, target: str) -> int:
        """How many may be under way to a target now; 0 where it takes nothing."""
        ...

    def room(self, target: str) -> int:
        """How many a sender may hold for a target, those under way among them."""
        ...

    def closed_because(self, target: str) -> str:
        """Why nothing is taken now, as a word for whoever asks after the delivery."""
        ...

    async def carry(self, item: Item) -> Result: ...

    async def stage(self, item: Item, result: Taken | GivenUp, unit: Unit) -> None:
        """What is written together with the outcome."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pace:
    poll_s: float = POLL_S
    sweep_s: float = SWEEP_S
    clock_margin_s: float = CLOCK_MARGIN_S


class Sender:
    def __init__(self, runtime: Runtime, ledger: Ledger, carrier: Carrier, pace: Pace | None = None) -> None:
        self._runtime, self._ledger, self._carrier = runtime, ledger, carrier
        self._pace = pace or Pace()
        self._queues: dict[str, deque[Item]] = {}
        self._under_way: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[Result]] = set()
        self._results: deque[tuple[Item, Result]] = deque()
        self._lanes: set[str] = set()
        self._parked_targets: set[str] = set()
        self._running = False
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    def hand_over(
        self, items: Iterable[Item], lanes: Iterable[str] = (), parked_targets: Iterable[str] = ()
    ) -> None:
        """Send what is leased to this process; look after lanes in which something has just begun to wait,
        and after targets for which something was parked.
        """
        touched = set()
        for item in items:
            queue = self._queues.setdefault(item.target, deque())
            if self._stopping.is_set() or len(queue) + self._under_way[item.target] >= self._room(
                item.target
            ):
                self._set_aside(item)
            else:
                queue.append(item)
                touched.add(item.target)
        self._lanes.update(lanes)
        self._parked_targets.update(parked_targets)
        self._wake.set()
        for target in touched:
            self._pump(target)

    def _room(self, target: str) -> int:
        return self._carrier.room(target) if self._carrier.width(target) else 0

    def _set_aside(self, item: Item) -> None:
        reason = "busy" if self._carrier.width(item.target) else self._carrier.closed_because(item.target)
        self._results.append((item, SetAside(reason=reason)))
        self._wake.set()

    def _pump(self, target: str) -> None:
        """Start as many as the way to the target is wide."""
        if not self._running:
            return
        queue = self._queues.get(target)
        while queue:
            width = self._carrier.width(target)
            if width == 0 or self._stopping.is_set():
                self._set_aside(queue.popleft())
            elif self._under_way[target] < width:
                self._start(queue.popleft())
            else:
                return
        self._queues.pop(target, None)

    def _start(self, item: Item) -> None:
        needed = timedelta(seconds=self._carrier.carry_s_max + self._pace.clock_margin_s)
        if self._runtime.clock.real() + needed > item.leased_until:
            return
        self._under_way[item.target] += 1
        task = asyncio.create_task(self._carrier.carry(item))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._carried(item, done))

    def _carried(self, item: Item, task: asyncio.Task[Result]) -> None:
        self._tasks.discard(task)
        self._under_way[item.target] -= 1
        if not self._under_way[item.target]:
            del self._under_way[item.target]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:  # A fault of ours: not the target's, so it costs no attempt.
            log.error("delivery_not_carried", delivery=item.id, exc_info=error)
            self._results.append((item, Again(after_s=OWN_FAULT_DELAY_S, reason="internal", counts=False)))
        else:
            self._results.append((item, task.result()))
        self._wake.set()
        self._pump(item.target)

    async def run(self) -> None:
        self._running = True
        for target in list(self._queues):
            self._pump(target)
        claiming = asyncio.create_task(self._claim_until_stopped(), name=f"{self._carrier.channel}-claims")
        try:
            await self._settle_until_stopped()
            await asyncio.wait({claiming}, timeout=RETRY_S)
            await self._finish()
        finally:
            claiming.cancel()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    async def _settle_until_stopped(self) -> None:
        while not self._stopping.is_set():
            await self._wake.wait()
            self._wake.clear()
            while self._results or self._lanes:
                await self._unless_away(self._settle_some)
                if self._stopping.is_set():
                    break

    async def _finish(self) -> None:
        """What is under way may end; what is not is given back for whoever comes next."""
        for target in list(self._queues):
            self._pump(target)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
        for task in tuple(self._tasks):
            task.cancel()
        unsent = [item for item, result in self._results if isinstance(result, SetAside)]
        self._results = deque(one for one in self._results if not isinstance(one[1], SetAside))
        self._lanes.clear()
        try:
            while self._results:
                await self._settle_some()
            await self._ledger.give_back(unsent)
        except (PyMongoError, Unavailable, Conflict) as error:  # Their leases run out by themselves.
            log.warning("deliveries_left_leased", error=type(error).__name__)

    async def _unless_away(self, work: Callable[[], Awaitable[None]]) -> bool:
        """True when the work was done. While the database is away nothing is forgotten."""
        try:
            await work()
        except (PyMongoError, Unavailable) as error:
            log.warning(
                "sender_waits_for_database", channel=self._carrier.channel, error=type(error).__name__
            )
            await self._pause(RETRY_S)
            return False
        return True

    async def _settle_some(self) -> None:
        group = [self._results[index] for index in range(min(len(self._results), SETTLED_TOGETHER_MAX))]
        ended = [(item, result) for item, result in group if isinstance(result, Taken | GivenUp)]
        if ended:
            await self._settle(ended)
        await self._ledger.put_off([(item, one) for item, one in group if isinstance(one, Again)])
        aside = [(item, one) for item, one in group if isinstance(one, SetAside)]
        await self._ledger.park(aside)
        self._parked_targets.update(item.target for item, _ in aside)
        for _ in group:
            self._results.popleft()
        self._lanes.update(item.lane for item, _ in ended if item.lane is not None)
        lanes, self._lanes = self._lanes, set()
        if lanes and not self._stopping.is_set():
            self.hand_over(await self._ledger.let_out(self._carrier.channel, lanes))

    async def _settle(self, ended: list[tuple[Item, Taken | GivenUp]]) -> None:
        try:
            await settle_all(self._runtime, self._ledger, ended, self._carrier.stage)
        except Conflict as conflict:  # Whoever holds them now settles them.
            log.warning("deliveries_settled_elsewhere", deliveries=len(ended), error=str(conflict)[:200])

    async def _claim_until_stopped(self) -> None:
        swept_at = -self._pace.sweep_s
        while not self._stopping.is_set():
            now = asyncio.get_running_loop().time()
            if now - swept_at >= self._pace.sweep_s and await self._unless_away(self._sweep):
                swept_at = now
            await self._unless_away(self._claim_some)

    async def _claim_some(self) -> None:
        wait_s = await self._ledger.next_due_s(self._carrier.channel, self._pace.poll_s)
        if wait_s == 0.0:
            self.hand_over(await self._ledger.claim_due(self._carrier.channel, CLAIM_MAX))
        for target in tuple(self._parked_targets):
            await self._take_up(target)
        if wait_s > 0.0:
            await self._pause(wait_s)

    async def _take_up(self, target: str) -> None:
        """Fetch what is kept for a target, once half of its queue is free again."""
        held = len(self._queues.get(target, ())) + self._under_way[target]
        room = self._room(target)
        if held * 2 > room or not room:
            return
        items = await self._ledger.claim_parked(self._carrier.channel, target, room - held)
        if items:
            self.hand_over(items)
        else:
            self._parked_targets.discard(target)

    async def _sweep(self) -> None:
        channel = self._carrier.channel
        self._parked_targets.update(await self._ledger.parked_targets(channel))
        self._lanes.update(await self._ledger.waiting_lanes(channel, self._pace.sweep_s))
        self._wake.set()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
