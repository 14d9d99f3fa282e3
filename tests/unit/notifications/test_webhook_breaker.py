"""When an endpoint is left in peace, and how it comes back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.webhooks.breaker import (
    PROBE_DELAYS_S,
    WINDOW_S,
    Breaker,
    begin_probe,
    record,
    width,
)

NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
CAP = 10
FRESH = Breaker(endpoint_id="whe_1")


def after(results: str, breaker: Breaker = FRESH, *, start: datetime = NOW, step_s: float = 0) -> Breaker:
    """`+` for a success and `-` for a failure, each `step_s` after the one before."""
    for place, result in enumerate(results):
        breaker = record(breaker, good=result == "+", now=start + timedelta(seconds=place * step_s))
    return breaker


def opened(now: datetime = NOW) -> Breaker:
    return after("-" * 10, start=now)


def probed(breaker: Breaker, *, good: bool) -> Breaker:
    """One probe at the first instant it may go, answered at once."""
    assert breaker.probe_at is not None
    at = breaker.probe_at
    return record(begin_probe(breaker, at), good=good, now=at, probe=True)


def test_a_fresh_endpoint_gets_all_its_places() -> None:
    assert width(FRESH, NOW, CAP) == CAP


@pytest.mark.parametrize(
    ("results", "opens"),
    [
        ("---------", False),
        ("----------", True),
        ("+++-------", True),
        ("++++------", False),
        ("-------+++", False),
        ("+++++------------", True),
        ("+++++-----------", False),
    ],
)
def test_it_opens_at_ten_results_of_which_seven_in_ten_failed(results: str, opens: bool) -> None:
    assert after(results).is_open is opens


def test_it_opens_on_a_failure_and_never_on_a_success() -> None:
    # The tenth result makes seven in ten, but it is a sign of life.
    assert not after("-------++" + "+").is_open
    assert after("-------++" + "+-").is_open


@pytest.mark.parametrize(
    ("failures", "over_s", "opens"), [(5, 30.0, True), (5, 29.9, False), (4, 300.0, False), (6, 29.9, False)]
)
def test_it_opens_at_five_failures_in_a_row_over_thirty_seconds(
    failures: int, over_s: float, opens: bool
) -> None:
    assert after("-" * failures, step_s=over_s / (failures - 1)).is_open is opens


def test_a_success_ends_a_run_of_failures() -> None:
    assert not after("----+----", step_s=20).is_open


def test_failures_older_than_the_window_are_forgotten() -> None:
    nine = after("+" * 3 + "-" * 6)
    inside = record(nine, good=False, now=NOW + timedelta(seconds=WINDOW_S - 31))
    assert inside.is_open
    one_and_good = record(nine, good=True, now=NOW + timedelta(seconds=WINDOW_S))
    assert not after("-" * 8, one_and_good, start=NOW + timedelta(seconds=WINDOW_S)).is_open


@given(st.lists(st.tuples(st.floats(0, 600), st.booleans()), max_size=200))
def test_its_state_stays_small_whatever_comes(results: list[tuple[float, bool]]) -> None:
    breaker = FRESH
    for seconds, good in sorted(results):
        breaker = record(breaker, good=good, now=NOW + timedelta(seconds=seconds))
    assert len(breaker.slots) <= WINDOW_S // 30
    assert not (breaker.is_open and breaker.slots)


def test_a_clock_that_steps_back_a_little_loses_no_result() -> None:
    later = record(FRESH, good=False, now=NOW + timedelta(seconds=60))
    assert sum(slot.bad for slot in record(later, good=False, now=NOW).slots) == 2


def test_an_open_breaker_lets_nothing_through_until_a_probe_is_due() -> None:
    breaker = opened()
    assert breaker.probe_at is not None
    assert width(breaker, breaker.probe_at - timedelta(microseconds=1), CAP) == 0
    assert width(breaker, breaker.probe_at, CAP) == 1


def test_probes_are_30_seconds_apart_at_first_and_half_an_hour_at_most() -> None:
    breaker, since, waits = opened(), NOW, []
    for _ in range(len(PROBE_DELAYS_S) + 2):
        assert breaker.probe_at is not None
        waits.append((breaker.probe_at - since).total_seconds())
        since = breaker.probe_at
        breaker = probed(breaker, good=False)
    expected = [*PROBE_DELAYS_S, PROBE_DELAYS_S[-1], PROBE_DELAYS_S[-1]]
    assert PROBE_DELAYS_S == (30, 60, 120, 240, 480, 960, 1_800)
    assert all(0.8 * delay <= wait < 1.2 * delay for wait, delay in zip(waits, expected, strict=True))


def test_there_is_one_probe_at_a_time() -> None:
    breaker = opened()
    assert breaker.probe_at is not None
    under_way = begin_probe(breaker, breaker.probe_at)
    assert width(under_way, breaker.probe_at, CAP) == 0


def test_a_probe_that_is_never_answered_is_followed_by_another() -> None:
    breaker = opened()
    assert breaker.probe_at is not None
    under_way = begin_probe(breaker, breaker.probe_at)
    assert width(under_way, breaker.probe_at + timedelta(seconds=30 * 1.2), CAP) == 1


def test_three_good_probes_one_after_another_close_it() -> None:
    breaker = opened()
    for _ in range(2):
        breaker = probed(breaker, good=True)
        assert breaker.is_open
    assert not probed(breaker, good=True).is_open


def test_a_bad_probe_between_good_ones_starts_the_count_anew() -> None:
    breaker = opened()
    for good in (True, True, False, True, True):
        breaker = probed(breaker, good=good)
    assert breaker.is_open
    assert not probed(breaker, good=True).is_open


@pytest.mark.parametrize("good", [True, False])
def test_answers_to_what_was_under_way_when_it_opened_change_nothing(good: bool) -> None:
    breaker = opened()
    assert record(breaker, good=good, now=NOW) == breaker


def closed_again() -> Breaker:
    breaker = opened()
    for _ in range(3):
        breaker = probed(breaker, good=True)
    return breaker


def test_closed_again_it_widens_from_one_to_two_to_four_to_all() -> None:
    widths, breaker = [], closed_again()
    for _ in range(9):
        widths.append(width(breaker, NOW, CAP))
        breaker = record(breaker, good=True, now=NOW)
    assert widths == [1, 2, 2, 4, 4, 4, 4, CAP, CAP]


@pytest.mark.parametrize("cap", [1, 3])
def test_a_slow_start_is_never_wider_than_the_cap(cap: int) -> None:
    breaker = closed_again()
    for _ in range(9):
        assert width(breaker, NOW, cap) <= cap
        breaker = record(breaker, good=True, now=NOW)


def test_closed_again_it_has_forgotten_the_failures_before() -> None:
    assert not after("-" * 9, closed_again()).is_open
    assert after("-" * 10, closed_again()).is_open


def test_two_endpoints_that_fail_together_are_not_probed_together() -> None:
    probes = {after("-" * 10, Breaker(endpoint_id=f"whe_{number}")).probe_at for number in range(20)}
    assert len(probes) == 20


def test_the_same_history_gives_the_same_breaker() -> None:
    assert opened() == opened()
