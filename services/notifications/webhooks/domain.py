"""What follows from one attempt to deliver a webhook.

An `Attempt` is what the sender is asked to do, an `Outcome` what came of it, and `next_step` says what
that means for the delivery: taken, tried again at an instant, given up, or the whole endpoint switched
off. Whether an endpoint is well enough to be sent anything at all is another question: breaker.py.

Pure, with the instants as arguments. Jitter comes from the delivery and the attempt, not from a random
source: the same facts give the same plan, in a test as in a replay after a crash.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

# The schedule that Standard Webhooks recommends: the wait before attempt 1, 2, 3 and so on.
STANDARD_SCHEDULE_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# What only a person can mend is not tried for days: four tries in 35 minutes.
REFUSED_SCHEDULE_S = (0, 5, 300, 1_800)
REFUSED_STATUSES = frozenset({400, 401, 403, 404, 405, 413, 415, 422})
JITTER_SHARE = 0.2
RETRY_AFTER_S_MAX = 86_400
AGE_S_MAX = 7 * 86_400
OWN_FAULT_DELAY_S = 30
ATTEMPT_TIMEOUT_S = 15.0
ATTEMPT_TIMEOUT_S_MIN = 1.0
ATTEMPT_TIMEOUT_S_MAX = 30.0


class ErrorClass(StrEnum):
    """Why an attempt did not deliver. `internal` is our own fault and is never held against the endpoint."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    SSRF = "ssrf"
    REDIRECT = "redirect"
    GONE = "gone"
    CLIENT_4XX = "client_4xx"
    THROTTLED = "throttled"
    SERVER_5XX = "server_5xx"
    TOO_LARGE = "too_large"
    INTERNAL = "internal"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One request to make. The headers carry the signature already: it covers exactly these body bytes."""

    endpoint_id: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeout_s: float = ATTEMPT_TIMEOUT_S

    def __post_init__(self) -> None:
        if not ATTEMPT_TIMEOUT_S_MIN <= self.timeout_s <= ATTEMPT_TIMEOUT_S_MAX:
            raise ValueError(f"An attempt may take {ATTEMPT_TIMEOUT_S_MIN} to {ATTEMPT_TIMEOUT_S_MAX} s")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`error_class` is None exactly when the receiver said 2xx. `address` is for operators, not owners."""

    status: int | None
    error_class: ErrorClass | None
    duration_ms: float
    response_head: bytes = b""
    address: str | None = None
    retry_after_s: float | None = None

    @property
    def delivered(self) -> bool:
        return self.error_class is None

    @property
    def blames_endpoint(self) -> bool:
        """Whether this outcome says something about the endpoint's health."""
        return self.error_class not in (ErrorClass.INTERNAL, ErrorClass.SSRF)


@dataclass(frozen=True, kw_only=True)
class RetryPlan:
    """An endpoint may have its own; the short schedule for refusals is everybody's."""

    schedule_s: tuple[int, ...] = STANDARD_SCHEDULE_S
    refused_schedule_s: tuple[int, ...] = REFUSED_SCHEDULE_S
    age_s_max: int = AGE_S_MAX


@dataclass(frozen=True)
class Delivered:
    pass


@dataclass(frozen=True)
class RetryAt:
    """`counted` is False after a fault of our own: the endpoint's attempts are not used up by it."""

    at: datetime
    reason: str
    counted: bool = True


@dataclass(frozen=True)
class Dead:
    reason: str


@dataclass(frozen=True)
class DisableEndpoint:
    reason: str


Step = Delivered | RetryAt | Dead | DisableEndpoint

STANDARD_PLAN = RetryPlan()


def next_step(
    outcome: Outcome,
    *,
    delivery_id: str,
    attempt: int,
    created_at: datetime,
    now: datetime,
    plan: RetryPlan = STANDARD_PLAN,
) -> Step:
    """What this outcome of the attempt with that number (from 1) means for the delivery."""
    match outcome.error_class:
        case None:
            return Delivered()
        case ErrorClass.GONE:
            return DisableEndpoint("gone")
        case ErrorClass.SSRF:
            return Dead("ssrf")
        case ErrorClass.INTERNAL:
            delay_s: float | None = OWN_FAULT_DELAY_S
        case _:
            delay_s = _wait_after(outcome, attempt, plan)
    if delay_s is None:
        return Dead("client_4xx" if outcome.status in REFUSED_STATUSES else "exhausted")
    waited_s = max(delay_s * jitter(f"{delivery_id}:{attempt}"), _hint_s(outcome))
    at = now + timedelta(seconds=waited_s)
    if at > created_at + timedelta(seconds=plan.age_s_max):
        return Dead("max_age")
    return RetryAt(at, outcome.error_class.value, counted=outcome.error_class is not ErrorClass.INTERNAL)


def pause_until(outcome: Outcome, now: datetime) -> datetime | None:
    """Until when the whole endpoint asked to be left alone (429 and 503 with a Retry-After)."""
    if outcome.status not in (429, 503) or outcome.retry_after_s is None:
        return None
    return now + timedelta(seconds=_hint_s(outcome))


def error_class_of(status: int) -> ErrorClass | None:
    """Only 2xx delivers. A redirect is a failure: its target was never checked, nor agreed with the owner."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return ErrorClass.REDIRECT
    if status == 410:
        return ErrorClass.GONE
    if status == 429:
        return ErrorClass.THROTTLED
    return ErrorClass.CLIENT_4XX if 400 <= status < 500 else ErrorClass.SERVER_5XX


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After in either of its two forms; None when there is none that can be read."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        too_long = len(text) > len(str(RETRY_AFTER_S_MAX)) * 2
        return float(RETRY_AFTER_S_MAX if too_long else min(int(text), RETRY_AFTER_S_MAX))
    try:
        at = parsedate_to_datetime(text)
        wait_s = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(wait_s, 0.0), float(RETRY_AFTER_S_MAX))


def jitter(seed: str) -> float:
    """A factor in [0.8, 1.2), the same for the same seed: many deliveries spread, each stays predictable."""
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") / 2**64
    return 1 - JITTER_SHARE + 2 * JITTER_SHARE * drawn


def _wait_after(outcome: Outcome, attempt: int, plan: RetryPlan) -> float | None:
    """The scheduled wait before the next attempt; None when this one was the last."""
    schedule_s = plan.refused_schedule_s if outcome.status in REFUSED_STATUSES else plan.schedule_s
    return schedule_s[attempt] if attempt < len(schedule_s) else None


def _hint_s(outcome: Outcome) -> float:
    return min(outcome.retry_after_s or 0.0, float(RETRY_AFTER_S_MAX))
