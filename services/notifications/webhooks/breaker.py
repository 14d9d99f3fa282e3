"""When an endpoint is left in peace, and how it comes back.

A breaker folds an endpoint's outcomes. Closed, it watches the last five minutes and the present run of
failures; when too much fails it opens. Open, it lets one request through at growing intervals (the caller
takes the oldest parked delivery, so there is no synthetic traffic); three good probes close it. Closed
again, the endpoint is met with one request at a time, then two, then four, then as many as it was worth
before.

The caller asks `width` before sending, calls `begin_probe` when it sends while the breaker is open, and
`record` with what came back. A probe that is never answered (our process died) is made good by time:
beginning one already sets the instant of the next.

Not needed for correctness: exact counts. Results are counted in slots of 30 s, so the window is 4.5 to 5
minutes wide and the state is small whatever the traffic. A breaker lost in a restart costs a sick
receiver some requests, never a delivery.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notifications.webhooks.domain import jitter

WINDOW_S = 300
RESULTS_MIN = 10
FAILURES_OF_TEN = 7
RUN_FAILURES = 5
RUN_S = 30
PROBE_DELAYS_S = (30, 60, 120, 240, 480, 960, 1_800)
PROBE_SUCCESSES = 3
SLOW_START_WIDTHS = (1, 2, 4)

_SLOT_S = 30
_SLOTS = WINDOW_S // _SLOT_S


@dataclass(frozen=True)
class Slot:
    number: int
    good: int
    bad: int


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """`probe_at` is set while it is open; `good_since_closed` while it starts slowly."""

    endpoint_id: str
    slots: tuple[Slot, ...] = ()
    failures_in_row: int = 0
    failing_since: datetime | None = None
    probe_at: datetime | None = None
    failed_probes: int = 0
    good_probes: int = 0
    good_since_closed: int | None = None

    @property
    def is_open(self) -> bool:
        return self.probe_at is not None


def width(breaker: Breaker, now: datetime, cap: int) -> int:
    """How many requests may be under way: none while open, one when a probe is due."""
    if breaker.probe_at is not None:
        return 1 if now >= breaker.probe_at else 0
    if breaker.good_since_closed is None:
        return cap
    # Each width is kept for as many successes as it is wide: 1, then 2 more, then 4 more.
    passed = 0
    for step in SLOW_START_WIDTHS:
        passed += step
        if breaker.good_since_closed < passed:
            return min(step, cap)
    return cap


def begin_probe(breaker: Breaker, now: datetime) -> Breaker:
    """Call when sending while open: the next probe waits for this one's answer, or for its interval."""
    return replace(breaker, probe_at=_next_probe(breaker, now))


def record(breaker: Breaker, *, good: bool, now: datetime, probe: bool = False) -> Breaker:
    """What came back. While open only probes count: the rest were under way before it opened."""
    if breaker.probe_at is None:
        return _after_good(breaker, now) if good else _after_bad(breaker, now)
    if not probe:
        return breaker
    if not good:
        failed = replace(breaker, failed_probes=breaker.failed_probes + 1, good_probes=0)
        return replace(failed, probe_at=_next_probe(failed, now))
    if breaker.good_probes + 1 < PROBE_SUCCESSES:
        return replace(breaker, good_probes=breaker.good_probes + 1, probe_at=now)
    return Breaker(endpoint_id=breaker.endpoint_id, good_since_closed=0)


def _after_good(breaker: Breaker, now: datetime) -> Breaker:
    since = breaker.good_since_closed
    if since is not None:
        since = since + 1 if since + 1 < sum(SLOW_START_WIDTHS) else None
    return replace(
        breaker,
        slots=_counted(breaker.slots, now, good=1),
        failures_in_row=0,
        failing_since=None,
        good_since_closed=since,
    )


def _after_bad(breaker: Breaker, now: datetime) -> Breaker:
    failed = replace(
        breaker,
        slots=_counted(breaker.slots, now, bad=1),
        failures_in_row=breaker.failures_in_row + 1,
        failing_since=breaker.failing_since or now,
    )
    if not _too_much_fails(failed, now):
        return failed
    opened = Breaker(endpoint_id=breaker.endpoint_id)
    return replace(opened, probe_at=_next_probe(opened, now))


def _too_much_fails(breaker: Breaker, now: datetime) -> bool:
    since = breaker.failing_since or now
    if breaker.failures_in_row >= RUN_FAILURES and now - since >= timedelta(seconds=RUN_S):
        return True
    bad = sum(slot.bad for slot in breaker.slots)
    results = bad + sum(slot.good for slot in breaker.slots)
    return results >= RESULTS_MIN and bad * 10 >= results * FAILURES_OF_TEN


def _counted(slots: tuple[Slot, ...], now: datetime, *, good: int = 0, bad: int = 0) -> tuple[Slot, ...]:
    number = int(now.timestamp()) // _SLOT_S
    kept = tuple(slot for slot in slots if slot.number > number - _SLOTS)
    if kept and kept[-1].number >= number:
        last = kept[-1]
        return (*kept[:-1], Slot(last.number, last.good + good, last.bad + bad))
    return (*kept, Slot(number, good, bad))


def _next_probe(breaker: Breaker, now: datetime) -> datetime:
    delay_s = PROBE_DELAYS_S[min(breaker.failed_probes, len(PROBE_DELAYS_S) - 1)]
    return now + timedelta(seconds=delay_s * jitter(f"{breaker.endpoint_id}:{now.isoformat()}"))
