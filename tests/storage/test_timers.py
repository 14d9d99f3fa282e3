"""Timers: due to the second, once in effect, in order per aggregate, whatever else happens."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest

from shared.clock import SystemClock
from shared.errors import Conflict, Transient
from shared.storage.repository import Unit
from shared.storage.timers import TIMERS, OnDue, Timer, TimersLoop
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
