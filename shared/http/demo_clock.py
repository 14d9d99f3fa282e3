"""The demo's clock, set over HTTP: the business moves on, the machine does not. Production has none."""

from datetime import datetime, timedelta

from pydantic import Field

from shared.clock import MovableClock
from shared.contracts.envelope import wire_time
from shared.http.app import Answer, Body, Routes, Work
from shared.service import Room

CLOCK = "clock"
ADVANCE_S_MAX = 10 * 366 * 86_400


class AdvanceIn(Body):
    by_s: int = Field(gt=0, le=ADVANCE_S_MAX, description="How far the business moves on, in seconds")


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
        kept = await work.get(CLOCK, CLOCK)
        ahead_s = (kept["ahead_s"] if kept else 0) + body.by_s
        if kept is None:
            work.change.insert(CLOCK, {"_id": CLOCK, "ahead_s": ahead_s})
        else:
            work.change.edit(
                CLOCK, {"_id": CLOCK, "ahead_s": kept["ahead_s"]}, {"$set": {"ahead_s": ahead_s}}
            )
        ahead = timedelta(seconds=ahead_s)
        # Here at once, so that whoever moved it finds it moved; other processes look it up in a moment.
        work.after_commit.append(lambda: clock.advance_to(max(ahead, clock.ahead)))
        return _out(clock.now() + ahead - clock.ahead, ahead_s)

    return Room(name="clock", routes=(routes,))


def _out(now: datetime, ahead_s: int) -> ClockOut:
    return ClockOut(now=wire_time(now), ahead_s=ahead_s)
