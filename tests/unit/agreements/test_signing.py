"""Signing: each side once, on one text, in either order; the last signature completes the agreement."""

from datetime import date, timedelta

import pytest

from services.agreements.instruments.domain.authority import is_within, lender, signing_grant
from services.agreements.instruments.domain.evidence import GENESIS, link
from services.agreements.instruments.domain.round import SigningTask
from services.agreements.instruments.domain.states import Status
from services.agreements.standing.domain.reach import Reach
from shared.contracts.agreements.agreement import (
    AgreementEnteredIntoForce,
    AgreementFullySigned,
    AgreementSignedByParty,
    Party,
)
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.vocabulary import Grant, Role
from shared.errors import Forbidden, OnHold, Refusal
from shared.http.directory import LentGrant
from tests.unit.agreements.building import (
    ACTIVE,
    NOW,
    OFFICER,
    PARTNER_ID,
    PARTNER_USER,
    SIGNATORY,
    SUSPENDED,
    closes_at,
    drafted,
    evidence,
    fold,
    held,
    send,
    sent,
    sign,
    signed,
)

OTHER_HASH = "0" * 64
BOTH_ORDERS = [(Party.ORGANISATION, Party.PARTNER), (Party.PARTNER, Party.ORGANISATION)]


def test_sending_asks_our_signatories_and_the_partners_own_users() -> None:
    asked = [event for event in send(drafted()) if isinstance(event, TaskAssigned)]
    assert [(task.role, [scope.value for scope in task.scope]) for task in asked] == [
        (Role.SIGNATORY, []),
        (Role.PARTNER_USER, [PARTNER_ID]),
    ]


@pytest.mark.parametrize(("first", "last"), BOTH_ORDERS)
def test_the_last_signature_completes_the_agreement_and_puts_it_into_force(first: Party, last: Party) -> None:
    half = fold(sent(), sign(sent(), first))
    assert half.status is Status.IN_SIGNATURE
    events = sign(half, last)
    assert [type(event) for event in events] == [
        AgreementSignedByParty,
        TaskDone,
        AgreementFullySigned,
        AgreementEnteredIntoForce,
    ]
    assert fold(half, events).sent_round.tasks == ()


def test_a_signature_ends_the_task_of_its_side_only() -> None:
    half = fold(sent(), sign(sent(), Party.PARTNER))
    assert half.sent_round.tasks == (SigningTask(id="tsk_of_the_organisation", party=Party.ORGANISATION),)


def test_a_future_first_day_leaves_the_agreement_signed() -> None:
    agreement = signed(sent(starts_on=date(2027, 1, 16)))
    assert agreement.status is Status.SIGNED


def test_an_agreement_signed_after_its_first_day_is_in_force_from_the_signature_on() -> None:
    agreement = sent(starts_on=date(2027, 1, 20))
    agreement = signed(agreement, now=NOW + timedelta(days=20))
    assert agreement.effective_on == date(2027, 2, 4)


def test_signing_again_changes_nothing_and_keeps_the_evidence() -> None:
    half = fold(sent(), sign(sent(), Party.PARTNER))
    assert sign(half, Party.PARTNER, now=NOW + timedelta(days=1)) == []
    signature = half.signature_of(Party.PARTNER)
    assert signature is not None and signature.evidence_id == "evd_1_partner"


def test_signing_again_is_answered_even_when_the_agreement_is_long_in_force() -> None:
    assert sign(signed(sent()), Party.PARTNER, text_sha256=OTHER_HASH) == []


def test_a_signature_on_another_text_is_refused() -> None:
    with pytest.raises(Refusal, match="text_changed"):
        sign(sent(), Party.PARTNER, text_sha256=OTHER_HASH)


def test_a_round_is_open_until_the_instant_it_closes() -> None:
    agreement = sent()
    last_moment = closes_at(agreement) - timedelta(microseconds=1)
    assert sign(agreement, Party.PARTNER, now=last_moment)
    with pytest.raises(Refusal, match="round_closed"):
        sign(agreement, Party.PARTNER, now=closes_at(agreement))


def test_nobody_signs_while_a_hold_is_open() -> None:
    with pytest.raises(OnHold, match="on_hold"):
        sign(held(sent()), Party.PARTNER)


def test_nobody_signs_while_the_partner_is_suspended_though_the_hold_is_still_on_its_way() -> None:
    with pytest.raises(OnHold, match="on_hold"):
        sign(sent(), Party.PARTNER, partner=SUSPENDED)


@pytest.mark.parametrize("party", Party)
def test_who_drafted_an_agreement_does_not_sign_it(party: Party) -> None:
    with pytest.raises(Forbidden, match="separation_of_duties"):
        sign(sent(), party, by=OFFICER)


@pytest.mark.parametrize(("first", "last"), BOTH_ORDERS)
def test_nobody_signs_for_both_sides(first: Party, last: Party) -> None:
    half = fold(sent(), sign(sent(), first, by=SIGNATORY))
    with pytest.raises(Forbidden, match="separation_of_duties"):
        sign(half, last, by=SIGNATORY)


def test_a_borrowed_role_binds_its_lender_to_one_duty_too() -> None:
    half = fold(sent(), sign(sent(), Party.PARTNER, on_behalf_of="prs_the_director"))
    for lent_by in (OFFICER, "prs_the_director"):
        with pytest.raises(Forbidden, match="separation_of_duties"):
            sign(half, Party.ORGANISATION, on_behalf_of=lent_by)


def test_a_side_signs_once_whoever_comes_second() -> None:
    half = fold(sent(), sign(sent(), Party.PARTNER))
    with pytest.raises(Refusal, match="slot_closed"):
        sign(half, Party.PARTNER, by="prs_a_colleague")


def test_of_several_reasons_to_refuse_the_first_in_the_promised_order_is_given() -> None:
    half = held(fold(sent(), sign(sent(), Party.PARTNER)))
    after = closes_at(half)
    with pytest.raises(Refusal, match="text_changed"):
        sign(half, Party.PARTNER, by=OFFICER, text_sha256=OTHER_HASH, partner=SUSPENDED, now=after)
    with pytest.raises(Refusal, match="round_closed"):
        sign(half, Party.PARTNER, by=OFFICER, partner=SUSPENDED, now=after)
    with pytest.raises(Refusal, match="on_hold"):
        sign(half, Party.PARTNER, by=OFFICER)


@pytest.mark.parametrize(
    ("grant", "party"),
    [
        (Grant(Role.SIGNATORY), Party.ORGANISATION),
        (Grant(Role.PARTNER_USER, (("partner", PARTNER_ID),)), Party.PARTNER),
    ],
)
def test_a_side_signs_by_those_who_hold_its_role(grant: Grant, party: Party) -> None:
    assert signing_grant([grant], party, PARTNER_ID) is grant


@pytest.mark.parametrize(
    ("grant", "party"),
    [
        (Grant(Role.SIGNATORY), Party.PARTNER),
        (Grant(Role.PARTNERSHIP_OFFICER), Party.ORGANISATION),
        (Grant(Role.PARTNER_USER, (("partner", PARTNER_ID),)), Party.ORGANISATION),
        (Grant(Role.PARTNER_USER, (("partner", "ptn_01JD0000000000000000000009"),)), Party.PARTNER),
        (Grant(Role.PARTNER_USER), Party.PARTNER),
    ],
)
def test_a_side_does_not_sign_by_anybody_else(grant: Grant, party: Party) -> None:
    with pytest.raises(Forbidden, match="not_a_signatory"):
        signing_grant([grant], party, PARTNER_ID)


def test_ones_own_role_comes_before_a_borrowed_one() -> None:
    own = Grant(Role.SIGNATORY)
    lent = LentGrant(Role.SIGNATORY, (), "prs_the_director")
    assert lender(signing_grant([own, lent], Party.ORGANISATION, PARTNER_ID)) is None
    assert lender(signing_grant([lent], Party.ORGANISATION, PARTNER_ID)) == "prs_the_director"


@pytest.mark.parametrize(
    ("grant", "sees"),
    [
        (Grant(Role.AUDITOR), {Status.DRAFT, Status.IN_SIGNATURE}),
        (Grant(Role.PARTNERSHIP_OFFICER, (("country", "KEN"),)), {Status.DRAFT, Status.IN_SIGNATURE}),
        (Grant(Role.PARTNERSHIP_OFFICER, (("country", "BRA"),)), set()),
        (Grant(Role.PARTNERSHIP_OFFICER, (("partner", PARTNER_ID),)), {Status.DRAFT, Status.IN_SIGNATURE}),
        (Grant(Role.PARTNER_USER, (("partner", PARTNER_ID),)), {Status.IN_SIGNATURE}),
        (Grant(Role.PARTNER_USER, (("partner", "ptn_01JD0000000000000000000009"),)), set()),
        (Grant(Role.PARTNER_USER), set()),
        (Grant(Role.MEMBER_STATE_DELEGATE), set()),
    ],
)
def test_a_role_reaches_what_it_is_for_and_a_partner_no_drafts(grant: Grant, sees: set[Status]) -> None:
    reach = Reach.of([grant], "agreement:read")
    assert {agreement.status for agreement in (drafted(), sent()) if is_within(reach, agreement)} == sees


def test_each_evidence_names_the_one_before_it() -> None:
    first = evidence(sent(), Party.PARTNER)
    half = fold(sent(), sign(sent(), Party.PARTNER))
    second = evidence(half, Party.ORGANISATION)
    assert (first.number, first.previous_sha256) == (1, GENESIS)
    assert (second.number, second.previous_sha256) == (2, first.sha256)


def test_evidence_can_be_checked_without_the_name_that_it_proves() -> None:
    proof = evidence(sent(), Party.PARTNER)
    assert link(proof.record) == proof.sha256
    assert "Amina" not in str(proof.record)
    assert proof.document()["name"] == "Amina Otieno"


def test_events_of_a_signature_name_nobody() -> None:
    (signed_by, *_) = sign(sent(), Party.PARTNER)
    assert isinstance(signed_by, AgreementSignedByParty)
    assert signed_by.signatory_id == PARTNER_USER
    assert "Amina" not in signed_by.model_dump_json()


def test_a_partner_in_good_standing_is_not_in_the_way() -> None:
    assert sign(sent(), Party.PARTNER, partner=ACTIVE.reinstated(version=3, as_of=NOW))
