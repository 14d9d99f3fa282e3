"""Two clocks. `now()` is the time of the business: policies, deadlines, an event's `time`. `real()` is the
time of machines: leases, tokens, ids, an event's `recordedtime`. Only in demo mode do they differ, and only
forward.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.errors import Invalid


class Clock(Protocol):
    def now(self) -> datetime: ...

    def real(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def real(self) -> datetime:
        return datetime.now(UTC)


class MovableClock:
    """The demo's clock: the business runs ahead of the machine by `ahead`, which only grows."""

    def __init__(self, ahead: timedelta = timedelta(0)) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def real(self) -> datetime:
        return datetime.now(UTC)

    def advance_to(self, ahead: timedelta) -> None:
        if ahead < self.ahead:
            raise Invalid("clock_only_moves_forward", "The demo clock cannot be turned back")
        self.ahead = ahead
