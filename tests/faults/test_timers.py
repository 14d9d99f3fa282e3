"""F12: deadlines under wrong clocks, several schedulers, and cancellations that come at the last moment.

I7: a timer has its effect once, never before it is due, never after a committed cancellation.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import SystemClock
from shared.contracts.notifications.task import TaskAssigned, TaskKind
from shared.ids import new_id
from shared.service import Runtime
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from shared.storage.timers import Timer, TimersLoop
from tests.faults import trial
from tests.faults.house import House, open_house
from tests.faults.scale import scale
from tests.faults.settling import wait_for
from tests.faults.worker import Ground

pytestmark = pytest.mark.asyncio(loop_scope="session")

RACES = scale(300, 10_000)
RACES_AT_ONCE = 50
ERRANDS = 60
WRONG_BY = timedelta(minutes=10)
# The server keeps milliseconds.
ROUNDING = timedelta(milliseconds=1)


class WrongClock(SystemClock):
    """A process whose clock is wrong: nothing in it knows better."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by

    def real(self) -> datetime:
        return super().real() + self._by


class Scheduler:
    """The timers' loop of a process of its own, by its own clock. It notes when it fired what."""

    def __init__(self, house: House, by: timedelta = timedelta(0)) -> None:
        self.fired: dict[str, datetime] = {}
        self._house = house
        runtime, clock = house.runtime, WrongClock(by)
        self._loop = TimersLoop(
            runtime.mongo, clock, {trial.END_ERRAND: self._end}, house.application._perform_timer
        )
        self._running = asyncio.create_task(self._loop.run())

    async def _end(self, timer: Timer, unit: Unit) -> None:
        self.fired[timer.subject] = datetime.now(UTC)
        await trial.end_errand(timer, unit)

    async def stop(self) -> None:
        self._loop.stop()
        await self._running


async def begin_errand(runtime: Runtime, due_at: datetime) -> str:
    id = new_id("tsk")

    async def work(unit: Unit) -> None:
        assigned = TaskAssigned(
            task_id=id,
            kind=TaskKind.JOIN_FOR_PARTNER,
            about=id,
            label=id,
            person_id=None,
            role=None,
            due_at=due_at,
            reason="suspended",
        )
        trial.errands.create(unit, id, [assigned])
        unit.schedule(trial.END_ERRAND, id, due_at)

    await runtime.perform(runtime.system_context("test"), work)
    return id


async def withdraw(runtime: Runtime, id: str) -> bool:
    """Whether it was still there to be withdrawn."""

    async def work(unit: Unit) -> bool:
        errand = await trial.errands.load(unit, id)
        decided = errand.end("withdrawn")
        trial.errands.save(unit, errand, decided)
        unit.cancel(trial.END_ERRAND, id)
        return bool(decided)

    return await runtime.perform(runtime.system_context("test"), work)


async def no_timer_is_left(ground: Ground) -> None:
    async def left(mongo: Mongo) -> str:
        timers = await mongo["timers"].count_documents({})
        return f"{timers} timers" if timers else ""

    await wait_for(ground, left, within_s=60)


async def outcomes(house: House) -> dict[str, list[str]]:
    """How each errand ended, once or more often."""
    found: dict[str, list[str]] = {}
    async for event in house.runtime.mongo["events"].find({"type": "task.done.v1"}):
        state = await house.runtime.mongo["errands"].find_one({"_id": event["stream"]})
        found.setdefault(event["stream"], []).append(state["state"]["outcome"])
    return found


async def test_a_clock_ten_minutes_wrong_fires_nothing_early_and_nothing_twice(ground: Ground) -> None:
    async with open_house(ground) as house:
        now = datetime.now(UTC)
        due = {
            await begin_errand(house.runtime, at): at
            for at in (now + timedelta(milliseconds=1_000 + 40 * number) for number in range(ERRANDS))
        }
        schedulers = [Scheduler(house, by) for by in (-WRONG_BY, WRONG_BY, timedelta(0), WRONG_BY)]
        await no_timer_is_left(ground)
        for scheduler in schedulers:
            await scheduler.stop()
        ends = await outcomes(house)
    assert ends == {id: ["time is over"] for id in due}
    early = [id for scheduler in schedulers for id, at in scheduler.fired.items() if at < due[id] - ROUNDING]
    assert early == []


async def test_what_a_process_with_a_wrong_clock_has_claimed_is_free_when_it_dies(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own clock it would hold them ten minutes longer than it may."""
    monkeypatch.setattr("shared.storage.timers.CLAIM_S", 2)
    async with open_house(ground) as house:
        id = await begin_errand(house.runtime, datetime.now(UTC))
        dying = TimersLoop(
            house.runtime.mongo,
            WrongClock(WRONG_BY),
            {trial.END_ERRAND: _never},
            house.application._perform_timer,
        )
        dead = asyncio.create_task(dying.run())
        await claimed(ground)
        dead.cancel()
        await asyncio.wait({dead})
        successor = Scheduler(house)
        await no_timer_is_left(ground)
        await successor.stop()
        assert await outcomes(house) == {id: ["time is over"]}


async def _never(timer: Timer, unit: Unit) -> None:
    await asyncio.get_running_loop().create_future()


async def claimed(ground: Ground) -> None:
    async def left(mongo: Mongo) -> str:
        found = await mongo["timers"].count_documents({"claimed_until": {"$ne": None}})
        return "" if found else "nothing is claimed"

    await wait_for(ground, left)


@pytest.mark.timeout(scale(120, 3_000))
async def test_of_a_deadline_and_its_cancellation_at_the_same_moment_one_happens(ground: Ground) -> None:
    async with AsyncExitStack() as stack:
        houses = [await stack.enter_async_context(open_house(ground)) for _ in range(2)]
        schedulers = [Scheduler(house) for house in houses]
        withdrawn: dict[str, bool] = {}
        while len(withdrawn) < RACES:
            withdrawn.update(await race(houses))
        await no_timer_is_left(ground)
        for scheduler in schedulers:
            await scheduler.stop()
        ends = await outcomes(houses[0])
    assert {id: len(ended) for id, ended in ends.items()} == dict.fromkeys(withdrawn, 1)
    told = {id: ["withdrawn"] if was_there else ["time is over"] for id, was_there in withdrawn.items()}
    assert ends == told
    assert min(Counter(withdrawn.values()).values()) > RACES / 20, "neither side wins always"


async def race(houses: Sequence[House]) -> dict[str, bool]:
    """Some deadlines within a moment, and somebody who withdraws each at about that time."""
    due_at = datetime.now(UTC) + timedelta(milliseconds=400)
    runtimes = [house.runtime for house in houses]
    ids = await asyncio.gather(*(begin_errand(random.choice(runtimes), due_at) for _ in range(RACES_AT_ONCE)))

    async def withdraw_in_time(id: str) -> bool:
        wait_s = (due_at - datetime.now(UTC)).total_seconds() + random.uniform(-0.1, 0.5)
        await asyncio.sleep(max(0.0, wait_s))
        return await withdraw(random.choice(runtimes), id)

    return dict(zip(ids, await asyncio.gather(*map(withdraw_in_time, ids)), strict=True))
