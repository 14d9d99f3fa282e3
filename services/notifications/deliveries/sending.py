"""The sender of one channel: from deliveries that are due to their outcomes.

Who is who. The *carrier* knows a channel. The *ledger* knows where deliveries are. The *queues* hold what is
about to be carried. The *sender* moves deliveries between them, and turns results into writes.

What happens in order. New deliveries come by `hand_over` right after their commit, leased to this process
already, and are sent at once: while nothing goes wrong, nothing is looked for and nothing is claimed. What
failed, and what a dead process held, comes back by its due time; what was parked comes back when its target
has room. Results are settled in groups. Then the next of each lane goes out.

Three loops, none of which waits for another: results are written, lanes are opened, what is due is claimed.
While the database is away they wait, and what they hold in memory stays there.

Not needed for correctness: the hand-over. Without it everything goes out a lease later.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import structlog
from pymongo.errors import PyMongoError

from services.notifications.deliveries.carrier import Carrier
from services.notifications.deliveries.domain.delivery import Again, GivenUp, Item, Result, SetAside, Taken
from services.notifications.deliveries.ledger import CLAIM_MAX, Ledger
from services.notifications.deliveries.queues import Queues
from services.notifications.deliveries.settling import Ended, settle_all
from shared.errors import Conflict, Unavailable
from shared.service import Runtime

SETTLED_TOGETHER_MAX = 250
WRITTEN_TOGETHER_MAX = 500
POLL_S = 0.25
SWEEP_S = 30.0
RETRY_S = 0.2
# Within what a service gives its workers to end.
STOP_S = 8.0
# The clocks of two processes may differ by this much.
CLOCK_MARGIN_S = 5.0

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Pace:
    poll_s: float = POLL_S
    sweep_s: float = SWEEP_S
    clock_margin_s: float = CLOCK_MARGIN_S


class Sender:
    def __init__(self, runtime: Runtime, ledger: Ledger, carrier: Carrier, pace: Pace | None = None) -> None:
        self._runtime, self._ledger, self._carrier = runtime, ledger, carrier
        self._pace = pace or Pace()
        self._queues = Queues(
            carrier,
            runtime.clock,
            clock_margin_s=self._pace.clock_margin_s,
            on_result=self._came_of,
            pace=runtime.pace,
        )
        self._ended: deque[Ended] = deque()
        self._put_off: deque[tuple[Item, Again]] = deque()
        self._aside: deque[tuple[Item, SetAside]] = deque()
        self._lanes: set[str] = set()
        self._parked_targets: set[str] = set()
        self._results_there, self._lanes_there = asyncio.Event(), asyncio.Event()
        self._stopping = asyncio.Event()

    @property
    def under_way(self) -> set[asyncio.Task[Result | None]]:
        return self._queues.tasks

    def hand_over(
        self, items: Iterable[Item], lanes: Iterable[str] = (), parked_targets: Iterable[str] = ()
    ) -> None:
        """Send what is leased to this process; look after lanes in which something has just begun to wait,
        and after targets for which something was parked.
        """
        self._queues.take_in(items)
        self._parked_targets.update(parked_targets)
        self._look_after(lanes)

    def _look_after(self, lanes: Iterable[str]) -> None:
        self._lanes.update(lanes)
        if self._lanes:
            self._lanes_there.set()

    def _came_of(self, item: Item, result: Result) -> None:
        match result:
            case Taken() | GivenUp():
                self._ended.append((item, result))
            case Again():
                self._put_off.append((item, result))
            case SetAside():
                self._aside.append((item, result))
        self._results_there.set()

    async def run(self) -> None:
        self._queues.open()
        loops = [asyncio.create_task(one()) for one in (self._write, self._open_lanes, self._claim)]
        try:
            await asyncio.wait(loops, return_when=asyncio.FIRST_EXCEPTION)
            for loop in loops:
                loop.result()
            await self._finish()
        finally:
            for loop in loops:
                loop.cancel()

    def stop(self) -> None:
        self._stopping.set()
        self._results_there.set()
        self._lanes_there.set()

    async def _write(self) -> None:
        while not self._stopping.is_set():
            await self._results_there.wait()
            self._results_there.clear()
            while self._has_results and not self._stopping.is_set():
                async with self._runtime.pace.turn(f"{self._carrier.channel} results"):
                    await self._unless_away(self._write_some)

    @property
    def _has_results(self) -> bool:
        return bool(self._ended or self._put_off or self._aside)

    async def _write_some(self) -> None:
        """What cannot be written stays at the head. Writing it twice changes nothing, by the leases."""
        ended = _first(self._ended, SETTLED_TOGETHER_MAX)
        if ended:
            await self._settle(ended)
            _drop(self._ended, len(ended))
            self._look_after(item.lane for item, _ in ended if item.lane is not None)
        put_off = _first(self._put_off, WRITTEN_TOGETHER_MAX)
        await self._ledger.put_off(put_off)
        _drop(self._put_off, len(put_off))
        aside = _first(self._aside, WRITTEN_TOGETHER_MAX)
        await self._ledger.park(aside)
        _drop(self._aside, len(aside))
        self._parked_targets.update(item.target for item, _ in aside)

    async def _settle(self, ended: list[Ended]) -> None:
        try:
            await settle_all(self._runtime, self._ledger, ended, self._carrier.stage)
        except Conflict as conflict:  # Whoever holds them now settles them.
            log.warning("deliveries_settled_elsewhere", deliveries=len(ended), error=str(conflict)[:200])

    async def _open_lanes(self) -> None:
        while not self._stopping.is_set():
            await self._lanes_there.wait()
            self._lanes_there.clear()
            while self._lanes and not self._stopping.is_set():
                await self._unless_away(self._open_some_lanes)

    async def _open_some_lanes(self) -> None:
        lanes, self._lanes = self._lanes, set()
        try:
            self._queues.take_in(await self._ledger.let_out(self._carrier.channel, lanes))
        except PyMongoError:
            self._lanes |= lanes
            raise

    async def _claim(self) -> None:
        swept_at = -self._pace.sweep_s
        while not self._stopping.is_set():
            now = asyncio.get_running_loop().time()
            if now - swept_at >= self._pace.sweep_s and await self._unless_away(self._sweep):
                swept_at = now
            await self._unless_away(self._claim_some)

    async def _claim_some(self) -> None:
        channel = self._carrier.channel
        wait_s = await self._ledger.next_due_s(channel, self._pace.poll_s)
        if wait_s == 0.0:
            self._queues.take_in(await self._ledger.claim_due(channel, CLAIM_MAX))
        for target in tuple(self._parked_targets):
            await self._take_up(target)
        if wait_s > 0.0:
            await self._pause(wait_s)

    async def _take_up(self, target: str) -> None:
        """Fetch what is kept for a target, once there is more room for it than it fills."""
        room = self._queues.room(target)
        if room <= 0 or room < self._queues.held(target):
            return
        items = await self._ledger.claim_parked(self._carrier.channel, target, min(room, CLAIM_MAX))
        if items:
            self._queues.take_in(items)
        else:
            self._parked_targets.discard(target)

    async def _sweep(self) -> None:
        channel = self._carrier.channel
        self._parked_targets.update(await self._ledger.parked_targets(channel))
        self._look_after(await self._ledger.waiting_lanes(channel, self._pace.sweep_s))
        for item in await self._ledger.claim_expired(channel, CLAIM_MAX):
            self._came_of(item, GivenUp(reason="expired"))

    async def _finish(self) -> None:
        """What is under way may end; what is not is given back for whoever comes next."""
        self._queues.close()
        if self._queues.tasks:
            await asyncio.wait(self._queues.tasks, timeout=STOP_S)
        for task in tuple(self._queues.tasks):
            task.cancel()
        unsent, self._aside = [item for item, _ in self._aside], deque()
        try:
            while self._has_results:
                await self._write_some()
            await self._ledger.give_back(unsent)
        except (PyMongoError, Unavailable) as error:  # Their leases run out by themselves.
            log.warning("deliveries_left_leased", error=type(error).__name__)

    async def _unless_away(self, work: Callable[[], Awaitable[None]]) -> bool:
        """True when the work was done. While the database is away nothing is forgotten."""
        try:
            await work()
        except (PyMongoError, Unavailable) as error:
            away = type(error).__name__
            log.warning("sender_waits_for_database", channel=self._carrier.channel, error=away)
            await self._pause(RETRY_S)
            return False
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def _first(queue: deque[T], count: int) -> list[T]:
    return list(islice(queue, count))


def _drop(queue: deque[T], count: int) -> None:
    for _ in range(count):
        queue.popleft()
