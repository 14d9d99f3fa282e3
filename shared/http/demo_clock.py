"""The demo's clock, set over HTTP: the business moves on, the machine does not. Production has none.

Each service keeps its own. Whoever moves one by a step moves that one only; the services bring each other
level by saying how far ahead a clock must be at least, which is the same however often it is said.
"""

from datetime import datetime, timedelta

from pydantic import Field

from shared.clock import MovableClock
from shared.contracts.envelope import wire_time
from shared.http.app import INTERNAL, Answer, Body, Routes, Work
from shared.service import Room
from shared.storage.repository import Unit

CLOCK = "clock"
ADVANCE_S_MAX = 10 * 366 * 86_400
AHEAD_S_MAX = 100 * 366 * 86_400


class AdvanceIn(Body):
    by_s: int = Field(gt=0, le=ADVANCE_S_MAX, description="How far the business moves on, in seconds")


class LevelIn(Body):
    ahead_s: int = Field(ge=0, le=AHEAD_S_MAX, description="How far ahead of the machine it is at least")


class ClockOut(Answer):
    now: str
    ahead_s: int


def clock_room(service: str, clock: MovableClock) -> Room:
    routes = Routes(service, room="clock")

    @routes.get("/clock", may="self:read")
    async def read_clock(work: Work) -> ClockOut:
        """What time it is for the business."""
        return _out(clock.now(), int(clock.ahead.total_seconds()))

    @routes.post("/clock/advances", may="clock:advance", status=201)
    async def advance_clock(body: AdvanceIn, work: Work) -> ClockOut:
        """Move the business on: deadlines that fall due on the way fire in their order."""
        return await _moved(work, clock, await ahead_of(work) + body.by_s)

    @routes.get("/clock/levels", may=INTERNAL)
    async def read_level(work: Work) -> ClockOut:
        """What time it is for the business, to the other services."""
        return _out(clock.now(), int(clock.ahead.total_seconds()))

    @routes.post("/clock/levels", may=INTERNAL, status=201)
    async def bring_clock_level(body: LevelIn, work: Work) -> ClockOut:
        """Move the business on at least so far: another service is there already."""
        return await _moved(work, clock, body.ahead_s)

    return Room(name="clock", routes=(routes,))


async def ahead_of(unit: Unit) -> int:
    """How far ahead of the machine this service's business is, in seconds."""
    kept = await unit.get(CLOCK, CLOCK)
    return int(kept["ahead_s"]) if kept else 0


async def bring_level(unit: Unit, clock: MovableClock, ahead_s: int) -> int:
    """At least so far ahead once the unit is committed; returns how far. It is never turned back."""
    kept = await unit.get(CLOCK, CLOCK)
    if kept is not None and kept["ahead_s"] >= ahead_s:
        return int(kept["ahead_s"])
    if kept is None:
        unit.change.insert(CLOCK, {"_id": CLOCK, "ahead_s": ahead_s})
    else:
        unit.change.edit(CLOCK, {"_id": CLOCK, "ahead_s": kept["ahead_s"]}, {"$set": {"ahead_s": ahead_s}})
    ahead = timedelta(seconds=ahead_s)
    # Here at once, so that whoever moved it finds it moved; other processes look it up in a moment.
    unit.after_commit.append(lambda: clock.advance_to(max(ahead, clock.ahead)))
    return ahead_s


async def _moved(unit: Unit, clock: MovableClock, ahead_s: int) -> ClockOut:
    ahead_s = await bring_level(unit, clock, ahead_s)
    return _out(clock.now() + timedelta(seconds=ahead_s) - clock.ahead, ahead_s)


def _out(now: datetime, ahead_s: int) -> ClockOut:
    return ClockOut(now=wire_time(now), ahead_s=ahead_s)
