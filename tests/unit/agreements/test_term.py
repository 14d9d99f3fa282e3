"""Terms, days and the instants at which they begin; what a draft may say."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.agreements.instruments.domain import drafting, lifetime
from services.agreements.instruments.domain.dates import add_months, day_of, end_of, start_of
from services.agreements.instruments.domain.profiles import current_profile
from services.agreements.instruments.domain.reference import reference, series
from services.agreements.instruments.domain.states import Move, Status
from services.agreements.instruments.domain.term import Term
from services.agreements.instruments.domain.text import AgreementText
from shared.contracts.agreements.agreement import AgreementKind, AgreementSentForSignature
from shared.errors import Invalid, OnHold, Refusal
from tests.unit.agreements.building import (
    ACTIVE,
    NOW,
    OFFICER,
    RULES,
    SUSPENDED,
    closes_at,
    drafted,
    fold,
    held,
    over_at,
    send,
    sent,
    signed,
)

TODAY = date(2027, 1, 15)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "code"),
    [
        (TODAY - timedelta(days=1), date(2028, 1, 1), "starts_in_the_past"),
        (date(2029, 1, 16), date(2030, 1, 1), "starts_too_late"),
        (date.max, date.max, "starts_too_late"),
        (None, date.max, "term_too_long"),
        (date(2027, 3, 1), date(2027, 2, 28), "ends_before_start"),
        (None, TODAY - timedelta(days=1), "ends_before_start"),
        (date(2027, 3, 1), date(2032, 3, 2), "term_too_long"),
        (None, date(2032, 1, 16), "term_too_long"),
    ],
)
def test_a_term_outside_the_rules_is_refused(starts_on: date | None, ends_on: date, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        Term(starts_on=starts_on, ends_on=ends_on).check(RULES, TODAY)


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (TODAY, TODAY),
        (date(2029, 1, 15), date(2030, 1, 1)),
        (date(2027, 3, 1), date(2032, 3, 1)),
        (None, date(2032, 1, 15)),
    ],
)
def test_a_term_at_the_edge_of_the_rules_is_fine(starts_on: date | None, ends_on: date) -> None:
    Term(starts_on=starts_on, ends_on=ends_on).check(RULES, TODAY)


def test_months_are_counted_to_the_end_of_a_shorter_month() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2024, 2, 29), 60) == date(2029, 2, 28)
    assert add_months(date(2027, 12, 15), 1) == date(2028, 1, 15)


def test_a_day_begins_at_midnight_in_nairobi() -> None:
    begins = start_of(date(2027, 3, 1), "Africa/Nairobi")
    assert begins == datetime(2027, 2, 28, 21, 0, tzinfo=UTC)
    assert day_of(begins, "Africa/Nairobi") == date(2027, 3, 1)
    assert day_of(begins - MOMENT, "Africa/Nairobi") == date(2027, 2, 28)


@pytest.mark.parametrize(("day", "hours"), [(date(2027, 3, 28), 23), (date(2027, 10, 31), 25)])
def test_a_day_on_which_the_clocks_change_is_still_one_day(day: date, hours: int) -> None:
    assert end_of(day, "Europe/Rome") - start_of(day, "Europe/Rome") == timedelta(hours=hours)


def test_an_agreement_expires_when_its_last_day_in_nairobi_is_over_and_not_before() -> None:
    agreement = signed(sent())
    assert over_at(agreement) == datetime(2030, 12, 31, 21, 0, tzinfo=UTC)
    with pytest.raises(Refusal, match="not_due"):
        lifetime.expire(agreement, over_at(agreement) - MOMENT)
    assert fold(agreement, lifetime.expire(agreement, over_at(agreement))).status is Status.EXPIRED


def test_a_round_lapses_at_the_instant_it_closes_and_not_before() -> None:
    agreement = sent()
    with pytest.raises(Refusal, match="not_due"):
        lifetime.lapse(agreement, closes_at(agreement) - MOMENT)
    lapsed = fold(agreement, lifetime.lapse(agreement, closes_at(agreement)))
    assert (lapsed.status, lapsed.sent_round.tasks) == (Status.LAPSED, ())


def test_a_signed_agreement_enters_into_force_as_its_first_day_begins_and_not_before() -> None:
    agreement = signed(sent(starts_on=date(2027, 3, 1)))
    begins = start_of(date(2027, 3, 1), RULES.zone)
    with pytest.raises(Refusal, match="not_due"):
        lifetime.enter_into_force(agreement, ACTIVE, begins - MOMENT)
    entered = fold(agreement, lifetime.enter_into_force(agreement, ACTIVE, begins))
    assert (entered.status, entered.effective_on) == (Status.IN_FORCE, date(2027, 3, 1))


def test_a_round_is_open_for_ninety_days_after_the_day_of_sending() -> None:
    assert closes_at(sent()) == end_of(date(2027, 4, 15), RULES.zone)


def test_a_round_does_not_outlive_the_term() -> None:
    assert closes_at(sent(ends_on=date(2027, 2, 1))) == end_of(date(2027, 2, 1), RULES.zone)


def test_a_draft_whose_last_day_has_passed_is_not_sent() -> None:
    draft = drafted(ends_on=date(2027, 2, 1))
    last_moment = end_of(date(2027, 2, 1), RULES.zone) - MOMENT
    assert send(draft, now=last_moment)
    with pytest.raises(Refusal, match="term_over"):
        send(draft, now=last_moment + MOMENT)


def test_what_is_due_follows_from_the_state_alone() -> None:
    waiting = signed(sent(starts_on=date(2027, 3, 1)))
    assert lifetime.due(drafted()) == {}
    assert lifetime.due(sent()) == {Move.LAPSE: closes_at(sent())}
    assert lifetime.due(waiting) == {
        Move.ENTER_INTO_FORCE: start_of(date(2027, 3, 1), RULES.zone),
        Move.EXPIRE: over_at(waiting),
    }
    assert lifetime.due(signed(sent())) == {Move.EXPIRE: over_at(waiting)}


def test_nothing_is_drafted_with_or_sent_to_a_suspended_partner() -> None:
    with pytest.raises(OnHold, match="on_hold"):
        drafting.draft(
            "agr_1",
            partner=SUSPENDED,
            rules=RULES,
            title="Participatory slum upgrading",
            text=AgreementText.of("A text.", RULES),
            term=Term(starts_on=None, ends_on=date(2028, 1, 1)),
            officer_id=OFFICER,
            now=NOW,
        )
    with pytest.raises(OnHold, match="on_hold"):
        send(drafted(), partner=SUSPENDED)
    with pytest.raises(OnHold, match="on_hold"):
        send(held(drafted()))


def test_a_held_draft_can_still_be_worked_on() -> None:
    assert drafting.change_text(held(drafted()), AgreementText.of("Another text.", RULES))


def test_the_same_text_again_changes_nothing() -> None:
    draft = drafted()
    same = AgreementText.of("  The sides cooperate on participatory slum upgrading.\r\n", RULES)
    assert drafting.change_text(draft, same) == []


def test_one_text_has_one_hash_however_it_was_typed() -> None:
    composed, decomposed = "Coopération\nurbaine", "Coope\u0301ration\r\nurbaine"
    assert AgreementText.of(composed, RULES) == AgreementText.of(decomposed, RULES)


@pytest.mark.parametrize(("length", "fits"), [(200 * 1024, True), (200 * 1024 + 1, False)])
def test_a_text_has_a_largest_size(length: int, fits: bool) -> None:
    if fits:
        assert AgreementText.of("x" * length, RULES).content == "x" * length
    else:
        with pytest.raises(Invalid, match="text_too_large"):
            AgreementText.of("x" * length, RULES)


def test_a_text_of_nothing_but_space_is_refused() -> None:
    with pytest.raises(Invalid, match="text_empty"):
        AgreementText.of(" \n\t ", RULES)


def test_the_frozen_text_is_what_everyone_is_asked_to_sign() -> None:
    draft = drafted()
    first = send(draft)[0]
    assert isinstance(first, AgreementSentForSignature)
    assert first.text_sha256 == draft.text_sha256


def test_a_draft_pins_the_rules_that_are_in_effect_when_it_is_made() -> None:
    assert current_profile(AgreementKind.MEMORANDUM, NOW).id == drafted().policy


def test_references_count_within_kind_and_year_and_stop_at_four_digits() -> None:
    of_2027 = series(RULES, 2027)
    assert reference(of_2027, 41) == "UNH/MOU/2027/0041"
    assert reference(of_2027, 9_999) == "UNH/MOU/2027/9999"
    with pytest.raises(Refusal, match="numbers_exhausted"):
        reference(of_2027, 10_000)
