"""Who is told of what on which channel: rules as data, in versions, each in force from an instant.

A rule set is never edited. A new one is added below the others; an event is told by the rules that were in
force at its time, and every delivery says which rule and version made it.

Rules say who is concerned. Whether they may know is not asked here: disclosure decides that for each
recipient, so a rule that names too many tells nobody too much.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property

from shared.contracts.agreements.agreement import (
    AgreementEnteredIntoForce,
    AgreementExpired,
    AgreementHoldClosed,
    AgreementHoldOpened,
    AgreementLapsed,
    AgreementSentForSignature,
    AgreementSignedByParty,
)
from shared.contracts.envelope import Event
from shared.contracts.notifications.delivery import Channel
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.contracts.partners.person import PersonInvited


class Who(StrEnum):
    OFFICERS = "officers"
    # Who drafted the agreement.
    DRAFTING_OFFICER = "drafting_officer"
    PARTNER_USERS = "partner_users"
    # The partner's contact person, who need not be in the directory.
    CONTACT = "contact"
    # The person the event is about, where it is addressed to them by its nature.
    ADDRESSEE = "addressee"


@dataclass(frozen=True, kw_only=True)
class Rule:
    name: str
    event: type[Event]
    told: tuple[tuple[Who, tuple[Channel, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    version: int
    effective_at: datetime
    rules: tuple[Rule, ...]

    @cached_property
    def by_type(self) -> dict[str, Rule]:
        return {rule.event.type: rule for rule in self.rules}


_INBOX = (Channel.INBOX,)
_MAIL = (Channel.EMAIL,)
_BOTH = (Channel.INBOX, Channel.EMAIL)
_PARTNER_AND_OFFICERS = ((Who.PARTNER_USERS, _BOTH), (Who.CONTACT, _MAIL), (Who.OFFICERS, _INBOX))
_BOTH_SIDES = ((Who.PARTNER_USERS, _BOTH), (Who.DRAFTING_OFFICER, _BOTH))

RULE_SETS = (
    RuleSet(
        version=1,
        effective_at=datetime(2020, 1, 1, tzinfo=UTC),
        rules=(
            Rule(
                name="partner_registered",
                event=PartnerRegistered,
                told=((Who.OFFICERS, _INBOX), (Who.CONTACT, _MAIL)),
            ),
            Rule(name="partner_suspended", event=PartnerSuspended, told=_PARTNER_AND_OFFICERS),
            Rule(name="partner_reinstated", event=PartnerReinstated, told=_PARTNER_AND_OFFICERS),
            Rule(name="person_invited", event=PersonInvited, told=((Who.ADDRESSEE, _MAIL),)),
            Rule(name="agreement_sent", event=AgreementSentForSignature, told=_BOTH_SIDES),
            Rule(name="agreement_signed", event=AgreementSignedByParty, told=_BOTH_SIDES),
            Rule(name="agreement_in_force", event=AgreementEnteredIntoForce, told=_BOTH_SIDES),
            Rule(name="agreement_expired", event=AgreementExpired, told=_BOTH_SIDES),
            Rule(name="agreement_lapsed", event=AgreementLapsed, told=_BOTH_SIDES),
            Rule(name="agreement_held", event=AgreementHoldOpened, told=_BOTH_SIDES),
            Rule(name="agreement_hold_ended", event=AgreementHoldClosed, told=_BOTH_SIDES),
        ),
    ),
)


def rule_for(
    event_type: str, at: datetime, rule_sets: tuple[RuleSet, ...] = RULE_SETS
) -> tuple[Rule, int] | None:
    """The rule in force at an instant for a type, and the version of its set."""
    in_force = [rules for rules in rule_sets if rules.effective_at <= at]
    if not in_force:
        return None
    newest = max(in_force, key=lambda rules: (rules.effective_at, rules.version))
    rule = newest.by_type.get(event_type)
    return None if rule is None else (rule, newest.version)
