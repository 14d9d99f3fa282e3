"""What follows from an outcome: taken, tried again, given up, or the endpoint switched off."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.webhooks.domain import (
    AGE_S_MAX,
    OWN_FAULT_DELAY_S,
    REFUSED_STATUSES,
    RETRY_AFTER_S_MAX,
    STANDARD_SCHEDULE_S,
    Attempt,
    Dead,
    Delivered,
    DisableEndpoint,
    ErrorClass,
    Outcome,
    RetryAt,
    RetryPlan,
    Step,
    error_class_of,
    jitter,
    next_step,
    pause_until,
    retry_after_s,
)

NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
RETRIED = [c for c in ErrorClass if c not in (ErrorClass.GONE, ErrorClass.SSRF, ErrorClass.INTERNAL)]


def outcome(
    status: int | None = None, error: ErrorClass | None = None, hint_s: float | None = None
) -> Outcome:
    failed = error_class_of(status) if status is not None else error
    return Outcome(status=status, error_class=failed, duration_ms=1.0, retry_after_s=hint_s)


def step(
    what: Outcome,
    attempt: int = 1,
    *,
    age: timedelta = timedelta(0),
    delivery_id: str = "dlv_1",
    plan: RetryPlan | None = None,
) -> Step:
    return next_step(
        what,
        delivery_id=delivery_id,
        attempt=attempt,
        created_at=NOW - age,
        now=NOW,
        plan=plan or RetryPlan(),
    )


def waited_s(found: Step) -> float:
    assert isinstance(found, RetryAt)
    return (found.at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (199, ErrorClass.SERVER_5XX),
        (200, None),
        (204, None),
        (299, None),
        (300, ErrorClass.REDIRECT),
        (399, ErrorClass.REDIRECT),
        (400, ErrorClass.CLIENT_4XX),
        (408, ErrorClass.CLIENT_4XX),
        (410, ErrorClass.GONE),
        (429, ErrorClass.THROTTLED),
        (499, ErrorClass.CLIENT_4XX),
        (500, ErrorClass.SERVER_5XX),
        (503, ErrorClass.SERVER_5XX),
        (999, ErrorClass.SERVER_5XX),
    ],
)
def test_only_a_status_of_two_hundred_and_something_delivers(
    status: int, expected: ErrorClass | None
) -> None:
    assert error_class_of(status) is expected
    assert outcome(status).delivered is (expected is None)


def test_what_was_taken_is_delivered_however_old_and_often_tried() -> None:
    assert step(outcome(200), 99, age=timedelta(days=99)) == Delivered()


def test_a_receiver_that_says_gone_is_switched_off() -> None:
    assert step(outcome(410)) == DisableEndpoint("gone")


def test_an_address_that_may_not_be_called_is_given_up_at_once() -> None:
    assert step(outcome(error=ErrorClass.SSRF)) == Dead("ssrf")


@pytest.mark.parametrize("error", RETRIED)
def test_every_other_failure_is_tried_again_and_says_why(error: ErrorClass) -> None:
    found = step(outcome(error=error))
    assert isinstance(found, RetryAt)
    assert (found.reason, found.counted) == (error.value, True)


@pytest.mark.parametrize("attempt", range(1, len(STANDARD_SCHEDULE_S)))
def test_each_wait_is_the_standards_within_a_fifth(attempt: int) -> None:
    wait_s = STANDARD_SCHEDULE_S[attempt]
    assert 0.8 * wait_s <= waited_s(step(outcome(500), attempt)) < 1.2 * wait_s


def test_the_last_attempt_of_the_schedule_is_the_last() -> None:
    assert isinstance(step(outcome(500), 9), RetryAt)
    assert step(outcome(500), 10) == Dead("exhausted")


@pytest.mark.parametrize("status", sorted(REFUSED_STATUSES))
def test_what_only_a_person_can_mend_is_tried_four_times_in_35_minutes(status: int) -> None:
    waits = [waited_s(step(outcome(status), attempt)) for attempt in (1, 2, 3)]
    assert 0.8 * 35 * 60 <= sum(waits) < 1.2 * 35 * 60 + 6
    assert step(outcome(status), 4) == Dead("client_4xx")


def test_a_status_that_passes_by_itself_has_the_long_schedule() -> None:
    assert isinstance(step(outcome(408), 4), RetryAt)
    assert step(outcome(408), 10) == Dead("exhausted")


def test_a_refusal_late_in_the_long_schedule_ends_it() -> None:
    assert step(outcome(401), 7) == Dead("client_4xx")


def test_an_endpoint_may_have_a_schedule_of_its_own() -> None:
    plan = RetryPlan(schedule_s=(0, 60))
    assert 48 <= waited_s(step(outcome(500), 1, plan=plan)) < 72
    assert step(outcome(500), 2, plan=plan) == Dead("exhausted")


@given(delivery_id=st.text(), attempt=st.integers(1, 9))
def test_the_same_delivery_and_attempt_always_wait_the_same(delivery_id: str, attempt: int) -> None:
    first, second = (step(outcome(500), attempt, delivery_id=delivery_id) for _ in range(2))
    assert first == second


def test_many_deliveries_spread_over_the_whole_fifth_around_the_wait() -> None:
    factors = [jitter(f"dlv_{number}:1") for number in range(1_000)]
    assert min(factors) < 0.81 and max(factors) > 1.19
    assert all(0.8 <= factor < 1.2 for factor in factors)
    assert 0.98 < sum(factors) / len(factors) < 1.02


@pytest.mark.parametrize(
    ("hint_s", "expected_s"),
    [(3_600, 3_600), (RETRY_AFTER_S_MAX, RETRY_AFTER_S_MAX), (RETRY_AFTER_S_MAX + 1, RETRY_AFTER_S_MAX)],
)
def test_a_receivers_retry_after_is_obeyed_up_to_a_day(hint_s: float, expected_s: float) -> None:
    assert waited_s(step(outcome(429, hint_s=hint_s))) == expected_s


def test_a_retry_after_shorter_than_our_own_wait_changes_nothing() -> None:
    assert step(outcome(503, hint_s=1.0), 3) == step(outcome(503), 3)


def test_a_fault_of_our_own_uses_up_no_attempt() -> None:
    for attempt in (1, 10, 50):
        found = step(outcome(error=ErrorClass.INTERNAL), attempt)
        assert isinstance(found, RetryAt)
        assert not found.counted
        assert 0.8 * OWN_FAULT_DELAY_S <= waited_s(found) < 1.2 * OWN_FAULT_DELAY_S


def test_a_fault_of_our_own_and_a_forbidden_address_say_nothing_about_the_endpoint() -> None:
    blameless = {error for error in ErrorClass if not outcome(error=error).blames_endpoint}
    assert blameless == {ErrorClass.INTERNAL, ErrorClass.SSRF}


def test_a_retry_may_fall_on_the_last_instant_of_the_greatest_age_but_not_after_it() -> None:
    at_s = waited_s(step(outcome(500), 1))
    last = timedelta(seconds=AGE_S_MAX - at_s)
    assert isinstance(step(outcome(500), 1, age=last), RetryAt)
    assert step(outcome(500), 1, age=last + timedelta(microseconds=1)) == Dead("max_age")


def test_the_whole_schedule_fits_into_the_greatest_age() -> None:
    assert sum(STANDARD_SCHEDULE_S) * 1.2 < AGE_S_MAX
    assert all(earlier < later for earlier, later in pairwise(STANDARD_SCHEDULE_S))


@pytest.mark.parametrize(
    ("status", "hint_s", "pause_s"),
    [(429, 120.0, 120), (503, 120.0, 120), (429, 1e9, RETRY_AFTER_S_MAX), (429, 0.0, 0)],
)
def test_a_throttling_receiver_pauses_its_whole_endpoint(status: int, hint_s: float, pause_s: float) -> None:
    assert pause_until(outcome(status, hint_s=hint_s), NOW) == NOW + timedelta(seconds=pause_s)


def test_no_hint_or_another_status_pauses_nothing() -> None:
    assert pause_until(outcome(429), NOW) is None
    assert pause_until(outcome(500, hint_s=120.0), NOW) is None
    assert pause_until(outcome(200, hint_s=120.0), NOW) is None


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("１２", None),
        ("0", 0),
        (" 120 ", 120),
        (str(RETRY_AFTER_S_MAX), RETRY_AFTER_S_MAX),
        (str(RETRY_AFTER_S_MAX + 1), RETRY_AFTER_S_MAX),
        ("9" * 5_000, RETRY_AFTER_S_MAX),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120),
        (format_datetime(NOW - timedelta(minutes=2), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=20), usegmt=True), RETRY_AFTER_S_MAX),
        ("Fri, 15 Jan 2027 08:02:00", 120),
        ("Fri, 15 Jan 99999 08:02:00 GMT", None),
    ],
)
def test_a_retry_after_is_read_in_both_its_forms(header: str | None, expected_s: float | None) -> None:
    assert retry_after_s(header, NOW) == expected_s


@given(st.text())
def test_any_retry_after_is_read_or_left_aside(header: str) -> None:
    found = retry_after_s(header, NOW)
    assert found is None or 0 <= found <= RETRY_AFTER_S_MAX


@pytest.mark.parametrize(("timeout_s", "allowed"), [(0.9, False), (1, True), (30, True), (30.1, False)])
def test_an_attempt_may_take_one_to_thirty_seconds(timeout_s: float, allowed: bool) -> None:
    def attempt() -> Attempt:
        return Attempt(
            endpoint_id="whe_1", url="https://a.example/", headers=(), body=b"", timeout_s=timeout_s
        )

    if allowed:
        assert attempt().timeout_s == timeout_s
        return
    with pytest.raises(ValueError, match="may take"):
        attempt()
