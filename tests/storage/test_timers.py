"""Timers: due to the second, once in effect, in order per aggregate, whatever else happens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from shared.clock import SystemClock
from shared.errors import Conflict, Transient
from shared.storage.repository import Unit
from shared.storage.timers import BATCH_MAX, TIMERS, OnDue, Timer, TimersLoop
from tests.support.writing import NOON, Writing, members

pytestmark = pytest.mark.asyncio(loop_scope="session")


class StandingClock(SystemClock):
    """The business time a test says it is."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move_to(self, now: datetime) -> None:
        self._now = now


def timers_loop(writing: Writing, clock: StandingClock, handlers: dict[str, OnDue]) -> TimersLoop:
    async def perform(timer: Timer, handler: OnDue) -> None:
        async def work(unit: Unit) -> None:
            if await unit.get(TIMERS, timer.id) is None:
                raise Conflict("timer_gone", "gone")
            await handler(timer, unit)

        await writing.runtime.perform(writing.context(now=timer.due_at), work)

    return TimersLoop(writing.mongo, clock, handlers, perform)


async def suspend_by_timer(timer: Timer, unit: Unit) -> None:
    member = await members.load(unit, timer.subject)
    members.save(unit, member, member.toggle())


async def schedule(writing: Writing, kind: str, subject: str, due_at: datetime) -> None:
    async def work(unit: Unit) -> None:
        unit.schedule(kind, subject, due_at)

    await writing.runtime.perform(writing.context(), work)


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    deadline = asyncio.get_running_loop().time() + within_s
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not come about"
        await asyncio.sleep(0.02)


async def test_a_timer_fires_at_its_instant_and_not_a_microsecond_before(writing: Writing) -> None:
    clock = StandingClock(NOON - timedelta(microseconds=1000))
    loop = timers_loop(writing, clock, {"suspend": suspend_by_timer})
    member = await writing.register()
    await schedule(writing, "suspend", member.id, NOON)
    assert await loop.fire_due() == 0
    clock.move_to(NOON)
    assert await loop.fire_due() == 1
    assert (await writing.stored(member.id))["state"]["suspended"] is True
    assert await writing.mongo[TIMERS].count_documents({}) == 0


async def test_the_effect_has_the_time_of_the_deadline_however_late_it_is_processed(writing: Writing) -> None:
    seen: list[datetime] = []

    async def note(timer: Timer, unit: Unit) -> None:
        seen.append(unit.context.now)
        await suspend_by_timer(timer, unit)

    member = await writing.register()
    await schedule(writing, "suspend", member.id, NOON)
    await timers_loop(writing, StandingClock(NOON + timedelta(days=9)), {"suspend": note}).fire_due()
    assert seen == [NOON]
    assert writing.committed[-1].at == NOON


async def test_two_schedulers_give_one_effect(writing: Writing) -> None:
    clock = StandingClock(NOON)
    loops = [timers_loop(writing, clock, {"suspend": suspend_by_timer}) for _ in range(2)]
    ids = [(await writing.register()).id for _ in range(30)]
    for id in ids:
        await schedule(writing, "suspend", id, NOON)
    for _ in range(3):
        await asyncio.gather(*(loop.fire_due() for loop in loops))
    for id in ids:
        assert (await writing.stored(id))["state"]["suspensions"] == 1


async def test_without_the_claim_the_removal_still_decides(writing: Writing) -> None:
    """The claim spares work; what keeps an effect single is that only one change can remove the timer."""
    member = await writing.register()
    await schedule(writing, "suspend", member.id, NOON)
    clock = StandingClock(NOON)
    loops = [timers_loop(writing, clock, {"suspend": suspend_by_timer}) for _ in range(4)]
    claimed = [await loop._claim() for loop in loops[:1]]
    await asyncio.gather(*(loop._fire_in_order(claimed[0]) for loop in loops))
    assert (await writing.stored(member.id))["state"]["suspensions"] == 1


async def test_deadlines_of_one_aggregate_fire_in_their_order(writing: Writing) -> None:
    order: list[str] = []

    async def note(timer: Timer, unit: Unit) -> None:
        order.append(timer.kind)

    member = await writing.register()
    kinds = ["third", "first", "second"]
    for kind, hours in zip(kinds, (3, 1, 2), strict=True):
        await schedule(writing, kind, member.id, NOON + timedelta(hours=hours))
    loop = timers_loop(writing, StandingClock(NOON + timedelta(days=1)), dict.fromkeys(kinds, note))
    await loop.fire_due()
    assert order == ["first", "second", "third"]


async def test_one_that_fails_holds_back_its_own_aggregate_only(writing: Writing) -> None:
    order: list[str] = []
    broken = {"first"}

    async def note(timer: Timer, unit: Unit) -> None:
        if timer.kind in broken and timer.subject == held.id:
            raise Transient("the world is away")
        order.append(f"{timer.kind} {timer.subject}")

    held, free = await writing.register(), await writing.register()
    for member in (held, free):
        await schedule(writing, "first", member.id, NOON)
        await schedule(writing, "second", member.id, NOON + timedelta(hours=1))
    loop = timers_loop(writing, StandingClock(NOON + timedelta(days=1)), {"first": note, "second": note})
    await loop.fire_due()
    assert order == [f"first {free.id}", f"second {free.id}"]
    broken.clear()

    async def all_fired() -> bool:
        await loop.fire_due()
        return bool(await writing.mongo[TIMERS].count_documents({}) == 0)

    await until(all_fired)
    assert order[2:] == [f"first {held.id}", f"second {held.id}"]


async def test_a_cancelled_timer_does_not_fire(writing: Writing) -> None:
    member = await writing.register()
    await schedule(writing, "suspend", member.id, NOON)

    async def cancel(unit: Unit) -> None:
        unit.cancel("suspend", member.id)

    await writing.runtime.perform(writing.context(), cancel)
    assert await timers_loop(writing, StandingClock(NOON), {"suspend": suspend_by_timer}).fire_due() == 0
    assert (await writing.stored(member.id))["state"]["suspended"] is False


async def test_a_timer_set_anew_while_it_fires_is_another_timer(writing: Writing) -> None:
    later = NOON + timedelta(hours=1)

    async def again(timer: Timer, unit: Unit) -> None:
        if timer.due_at == NOON:
            unit.schedule(timer.kind, timer.subject, later)

    member = await writing.register()
    await schedule(writing, "again", member.id, NOON)
    loop = timers_loop(writing, StandingClock(NOON), {"again": again})
    await loop.fire_due()
    left = await writing.mongo[TIMERS].find().to_list(length=10)
    assert [timer["due_at"] for timer in left] == [later]


async def test_a_deadline_is_kept_to_the_millisecond_and_never_before_its_instant(writing: Writing) -> None:
    exact = NOON + timedelta(microseconds=1)
    seen: list[datetime] = []

    async def note(timer: Timer, unit: Unit) -> None:
        seen.append(unit.context.now)

    await schedule(writing, "exact", "agr_x", exact)
    loop = timers_loop(writing, StandingClock(NOON + timedelta(days=1)), {"exact": note})
    await loop.fire_due()
    assert seen == [NOON + timedelta(milliseconds=1)]


@asynccontextmanager
async def running(*loops: TimersLoop) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)


async def schedule_many(writing: Writing, kind: str, subject: str, due: Sequence[datetime]) -> None:
    """Many timers of one subject: a kind holds one, so each has its own name."""

    async def work(unit: Unit) -> None:
        for number, due_at in enumerate(due):
            unit.schedule(f"{kind}{number}", subject, due_at)

    await writing.runtime.perform(writing.context(), work)


async def test_what_has_failed_for_days_is_tried_on_and_stops_nothing(writing: Writing) -> None:
    async def fail(timer: Timer, unit: Unit) -> None:
        raise Transient("the world is away")

    await schedule(writing, "call", "agr_x", NOON)
    await writing.mongo[TIMERS].update_one({}, {"$set": {"attempts": 5_000}})
    assert await timers_loop(writing, StandingClock(NOON), {"call": fail}).fire_due() == 0
    held = await writing.mongo[TIMERS].find_one({})
    assert held["attempts"] == 5_001


async def test_a_hundred_that_wait_behind_a_failing_one_leave_room_for_others(writing: Writing) -> None:
    fired = asyncio.Event()

    async def fail(timer: Timer, unit: Unit) -> None:
        raise Transient("the world is away")

    async def note(timer: Timer, unit: Unit) -> None:
        fired.set()

    due = [NOON + timedelta(seconds=number) for number in range(120)]
    await schedule_many(writing, "call", "agr_stuck", due)
    await schedule(writing, "note", "agr_free", NOON + timedelta(hours=1))
    await writing.mongo[TIMERS].update_one({"kind": "call0"}, {"$set": {"attempts": 10}})
    handlers: dict[str, OnDue] = {**{f"call{number}": fail for number in range(120)}, "note": note}
    async with running(timers_loop(writing, StandingClock(NOON + timedelta(days=1)), handlers)):
        await asyncio.wait_for(fired.wait(), 5)


async def test_a_job_that_hangs_holds_back_no_other_deadline(writing: Writing) -> None:
    """However many of its kind hang, and however much earlier they were due."""
    fired, answered = asyncio.Event(), asyncio.Event()

    async def hang(timer: Timer, unit: Unit) -> None:
        await answered.wait()

    async def note(timer: Timer, unit: Unit) -> None:
        fired.set()

    for number in range(BATCH_MAX + 20):
        await schedule(writing, "call", f"agr_{number}", NOON)
    await schedule(writing, "note", "agr_free", NOON + timedelta(hours=1))
    loop = timers_loop(writing, StandingClock(NOON + timedelta(days=1)), {"call": hang, "note": note})
    async with running(loop):
        await asyncio.wait_for(fired.wait(), 5)
        answered.set()

        async def all_fired() -> bool:
            return bool(await writing.mongo[TIMERS].count_documents({}) == 0)

        await until(all_fired)


async def test_a_job_that_takes_longer_than_its_claim_is_not_begun_again(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.timers.CLAIM_S", 0.6)
    begun: list[str] = []
    claims: set[datetime] = set()
    answered = asyncio.Event()

    async def hang(timer: Timer, unit: Unit) -> None:
        begun.append(timer.id)
        await answered.wait()

    async def claimed_four_times() -> bool:
        document = await writing.mongo[TIMERS].find_one({})
        claims.add(document["claimed_until"])
        return len(claims) >= 5  # The first is none: not claimed yet.

    await schedule(writing, "call", "agr_x", NOON)
    loops = [timers_loop(writing, StandingClock(NOON), {"call": hang}) for _ in range(2)]
    async with running(*loops):
        await until(claimed_four_times)
        answered.set()
    assert begun == ["call|agr_x"]
    assert await writing.mongo[TIMERS].count_documents({}) == 0


async def test_how_late_the_oldest_is_counts_those_that_fail_too(writing: Writing) -> None:
    async def fail(timer: Timer, unit: Unit) -> None:
        raise Transient("the world is away")

    await schedule(writing, "call", "agr_x", NOON)
    loop = timers_loop(writing, StandingClock(NOON + timedelta(hours=1)), {"call": fail})
    await loop.fire_due()
    assert await loop.overdue_s() == 3_600
