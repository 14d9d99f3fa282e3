"""Who is told of what: the rules in force, and the notices they make."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.deliveries.domain.delivery import Planned
from services.notifications.deliveries.domain.disclosure import Reader
from services.notifications.deliveries.domain.notice import Known, Told, notices
from services.notifications.deliveries.domain.rules import RULE_SETS, Rule, RuleSet, Who, rule_for
from shared.contracts.agreements import agreement
from shared.contracts.agreements.agreement import AgreementDrafted
from shared.contracts.envelope import Envelope, Event, Provenance, open_envelope, seal
from shared.contracts.notifications.delivery import Channel
from shared.contracts.partners import partner, person
from shared.contracts.partners.partner import PartnerRegistered, PartnerSuspended
from shared.contracts.partners.person import PersonInvited
from shared.contracts.vocabulary import Grant, Role

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
PARTNER = "ptn_01JD0000000000000000000001"
OFFICER = Told(reader=Reader(id="prs_officer", grants=(Grant(Role.PARTNERSHIP_OFFICER),)))
USER = Told(reader=Reader(id="prs_user", grants=(Grant(Role.PARTNER_USER, (("partner", PARTNER),)),)))
STRANGER = Told(reader=Reader(id="prs_stranger", grants=(Grant(Role.PARTNER_USER, (("partner", "ptn_B"),)),)))
EVERYBODY: Mapping[Who, Iterable[Told]] = {
    Who.OFFICERS: [OFFICER],
    Who.DRAFTING_OFFICER: [OFFICER],
    Who.PARTNER_USERS: [USER],
    Who.CONTACT: [Told(reader=USER.reader, speaks_for=PARTNER)],
}


def envelope_of(event: Event) -> Envelope:
    provenance = Provenance(actor="prs_1", time=NOON, recorded_at=NOON, correlation_id="c")
    return open_envelope(
        seal(
            event,
            id="01938a3c-0000-7000-8000-000000000000",
            source="/concord/partners",
            subject=PARTNER,
            version=3,
            provenance=provenance,
        )
    )


def made_of(event: Event, groups: Mapping[Who, Iterable[Told]] = EVERYBODY) -> list[Planned]:
    found = rule_for(event.type, NOON)
    assert found is not None, f"no rule tells of {event.type}"
    rule, version = found
    return notices(event, envelope_of(event), rule, version, groups=groups, known=Known(label="Federation"))


def told(planned: Iterable[Planned]) -> set[tuple[str, str]]:
    return {(one.recipient, one.channel.value) for one in planned}


BOTH_SIDES = {
    ("prs_user", "inbox"),
    ("prs_user", "email"),
    ("prs_officer", "inbox"),
    ("prs_officer", "email"),
}
PARTNER_AND_OFFICERS = {("prs_user", "inbox"), ("prs_user", "email"), ("prs_officer", "inbox")}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (partner.PartnerRegistered, {("prs_officer", "inbox"), ("prs_user", "email")}),
        (partner.PartnerSuspended, PARTNER_AND_OFFICERS),
        (partner.PartnerReinstated, PARTNER_AND_OFFICERS),
        (agreement.AgreementSentForSignature, BOTH_SIDES),
        (agreement.AgreementSignedByParty, BOTH_SIDES),
        (agreement.AgreementEnteredIntoForce, BOTH_SIDES),
        (agreement.AgreementExpired, BOTH_SIDES),
        (agreement.AgreementLapsed, BOTH_SIDES),
        (agreement.AgreementHoldOpened, BOTH_SIDES),
        (agreement.AgreementHoldClosed, BOTH_SIDES),
    ],
)
def test_each_event_is_told_to_those_it_concerns(kind: type[Event], expected: set[tuple[str, str]]) -> None:
    assert told(made_of(kind.model_validate(kind.example))) == expected


def test_an_invitation_is_told_to_the_invited_and_nobody_else() -> None:
    invited = PersonInvited.model_validate(PersonInvited.example)
    addressee = Told(reader=Reader(id=invited.person_id))
    assert told(made_of(invited, {Who.ADDRESSEE: [addressee, STRANGER]})) == {(invited.person_id, "email")}


def test_a_draft_is_told_to_nobody() -> None:
    assert rule_for(AgreementDrafted.type, NOON) is None


def test_a_person_in_two_groups_is_told_once_a_channel() -> None:
    suspended = PartnerSuspended.model_validate(PartnerSuspended.example)
    planned = made_of(suspended, {Who.PARTNER_USERS: [USER, USER], Who.CONTACT: [USER], Who.OFFICERS: [USER]})
    assert sorted(one.channel for one in planned) == [Channel.EMAIL, Channel.INBOX]


def test_a_rule_that_names_too_many_tells_nobody_too_much() -> None:
    suspended = PartnerSuspended.model_validate(PartnerSuspended.example)
    strangers = [STRANGER, Told(reader=Reader(id="prs_nobody"))]
    assert made_of(suspended, dict.fromkeys(Who, strangers)) == []


def test_the_same_event_makes_the_same_deliveries_again() -> None:
    suspended = PartnerSuspended.model_validate(PartnerSuspended.example)
    first, second = made_of(suspended), made_of(suspended)
    assert [one.key for one in first] == [one.key for one in second]
    assert [one.id for one in first] == [one.id for one in second]
    assert len({one.id for one in first}) == len(first)


def test_a_delivery_names_the_rule_and_the_event() -> None:
    planned = made_of(PartnerRegistered.model_validate(PartnerRegistered.example), {Who.OFFICERS: [OFFICER]})
    assert planned[0].key == "partner_registered.inbox:01938a3c-0000-7000-8000-000000000000:prs_officer"
    assert planned[0].content["rule"] == "partner_registered@1"
    assert planned[0].content["label"] == "Federation"


def test_an_event_is_told_by_the_rules_in_force_at_its_time() -> None:
    rule = Rule(name="registered", event=PartnerRegistered, told=())
    sets = (
        RuleSet(version=1, effective_at=NOON, rules=(rule,)),
        RuleSet(version=2, effective_at=NOON + timedelta(days=1), rules=()),
    )
    assert rule_for(PartnerRegistered.type, NOON - timedelta(microseconds=1), sets) is None
    assert rule_for(PartnerRegistered.type, NOON, sets) == (rule, 1)
    assert rule_for(PartnerRegistered.type, NOON + timedelta(days=1), sets) is None


def test_no_two_rules_of_a_set_speak_of_one_event_and_sets_are_numbered() -> None:
    assert [rules.version for rules in RULE_SETS] == list(range(1, len(RULE_SETS) + 1))
    for rules in RULE_SETS:
        assert len(rules.by_type) == len(rules.rules)


def test_every_rule_is_about_an_event_that_somebody_publishes() -> None:
    published = {*partner.EVENTS, *person.EVENTS, *agreement.EVENTS}
    assert {rule.event for rules in RULE_SETS for rule in rules.rules} <= published
