"""Holds: opened by a suspension, closed when that suspension is over, in the way of every move forward."""

from datetime import date, timedelta

from services.agreements.instruments.domain import holds, lifetime
from services.agreements.instruments.domain.dates import start_of
from services.agreements.instruments.domain.states import Status
from shared.contracts.agreements.agreement import (
    AgreementEnteredIntoForce,
    AgreementHoldClosed,
    AgreementHoldOpened,
)
from tests.unit.agreements.building import (
    ACTIVE,
    NOW,
    PARTNER_ID,
    RULES,
    SUSPENDED,
    SUSPENSION,
    closes_at,
    drafted,
    fold,
    held,
    in_status,
    over_at,
    sent,
    signed,
)

REINSTATED = SUSPENDED.reinstated(version=3, as_of=NOW)
LATER_SUSPENSION = "01938a3c-0000-7000-8000-000000000009"
FIRST_DAY = date(2027, 3, 1)
FIRST_MOMENT = start_of(FIRST_DAY, RULES.zone)


def test_following_a_standing_twice_is_following_it_once() -> None:
    agreement = held(sent())
    assert holds.follow(agreement, SUSPENDED, NOW) == []
    assert holds.follow(sent(), ACTIVE, NOW) == []


def test_a_reinstatement_closes_the_hold_of_that_suspension() -> None:
    events = holds.follow(held(sent()), REINSTATED, NOW)
    assert [type(event) for event in events] == [AgreementHoldClosed]
    assert fold(held(sent()), events) == sent()


def test_a_new_suspension_takes_the_place_of_one_whose_end_was_never_seen() -> None:
    again = REINSTATED.suspended(LATER_SUSPENSION, version=4, as_of=NOW)
    agreement = fold(held(sent()), holds.follow(held(sent()), again, NOW))
    assert [hold.cause_event_id for hold in agreement.holds] == [LATER_SUSPENSION]


def test_a_first_day_that_comes_during_a_hold_is_made_up_for_when_the_hold_closes() -> None:
    agreement = held(signed(sent(starts_on=FIRST_DAY)))
    waiting = fold(agreement, lifetime.enter_into_force(agreement, SUSPENDED, FIRST_MOMENT))
    assert waiting.status is Status.SIGNED
    entered = fold(waiting, holds.follow(waiting, REINSTATED, FIRST_MOMENT + timedelta(days=9)))
    assert (entered.status, entered.effective_on) == (Status.IN_FORCE, date(2027, 3, 10))


def test_a_first_day_that_comes_before_the_hold_has_arrived_opens_the_hold_instead() -> None:
    agreement = signed(sent(starts_on=FIRST_DAY))
    events = lifetime.enter_into_force(agreement, SUSPENDED, FIRST_MOMENT)
    assert [type(event) for event in events] == [AgreementHoldOpened]


def test_a_hold_that_closes_before_the_first_day_puts_nothing_into_force() -> None:
    agreement = held(signed(sent(starts_on=FIRST_DAY)))
    events = holds.follow(agreement, REINSTATED, FIRST_MOMENT - timedelta(microseconds=1))
    assert not any(isinstance(event, AgreementEnteredIntoForce) for event in events)


def test_a_hold_that_closes_after_the_last_day_puts_nothing_into_force() -> None:
    agreement = held(signed(sent(starts_on=FIRST_DAY)))
    events = holds.follow(agreement, REINSTATED, over_at(agreement))
    assert not any(isinstance(event, AgreementEnteredIntoForce) for event in events)


def test_a_hold_does_not_keep_a_round_from_lapsing_nor_an_agreement_from_expiring() -> None:
    in_signature = held(sent())
    assert fold(in_signature, lifetime.lapse(in_signature, closes_at(in_signature))).status is Status.LAPSED
    for agreement in (held(signed(sent())), held(signed(sent(starts_on=FIRST_DAY)))):
        assert fold(agreement, lifetime.expire(agreement, over_at(agreement))).status is Status.EXPIRED


def test_a_partner_does_not_learn_of_a_draft_by_its_hold() -> None:
    (on_draft,) = holds.follow(drafted(), SUSPENDED, NOW)
    (on_sent,) = holds.follow(sent(), SUSPENDED, NOW)
    assert on_draft.audience() == ()
    assert on_sent.audience() == (f"partner:{PARTNER_ID}",)


def test_what_has_ended_is_told_by_its_state() -> None:
    ended = [status for status in Status if in_status(status).has_ended]
    assert ended == [Status.EXPIRED, Status.LAPSED]
    assert held(sent()).held_for == SUSPENSION
