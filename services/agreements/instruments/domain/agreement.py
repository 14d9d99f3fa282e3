"""An agreement, from draft to last day: what its events make of it.

Who is who: an officer drafts and sends (`drafting`); a signatory of the organisation and a user of the
partner sign, in either order, on the hash of the text that was sent (`signing`); time does the rest
(`lifetime`). A hold says that the partner is suspended (`holds`): it blocks every move forward (sending,
signing, entering into force) and never one that ends the agreement (lapsing, expiring).

What happens in order: drafted; sent (numbered, text frozen, a task for each side, a closing time); signed by
each party. The last signature completes it in the same decision, and puts it into force at once unless its
first day is still to come.

What is not needed: that a hold has reached the agreement yet. Whatever moves it forward is given the
partner's standing besides the agreement's own holds, and either of them blocks it.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from services.agreements.instruments.domain.dates import day_of
from services.agreements.instruments.domain.profiles import KindProfile, profile
from services.agreements.instruments.domain.round import Signature, SigningRound
from services.agreements.instruments.domain.states import ENDED, Status
from services.agreements.instruments.domain.term import Term
from shared.contracts.agreements.agreement import (
    AgreementDrafted,
    AgreementEnteredIntoForce,
    AgreementExpired,
    AgreementFullySigned,
    AgreementHoldClosed,
    AgreementHoldOpened,
    AgreementKind,
    AgreementLapsed,
    AgreementSentForSignature,
    AgreementSignedByParty,
    AgreementTextChanged,
    HoldKind,
    Party,
)
from shared.contracts.envelope import Event
from shared.contracts.notifications.task import TaskAssigned, TaskDone


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Open until the cause it names is gone."""

    kind: HoldKind
    cause_event_id: str


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """`policy` is the version of the kind's profile, pinned at drafting; `round` comes with sending."""

    id: str
    partner_id: str
    country: str
    kind: AgreementKind
    policy: str
    title: str
    officer_id: str
    text_sha256: str
    term: Term
    status: Status = Status.DRAFT
    round: SigningRound | None = None
    holds: tuple[Hold, ...] = ()
    effective_on: date | None = None

    @property
    def profile(self) -> KindProfile:
        return profile(self.policy)

    @property
    def ref(self) -> str | None:
        return self.round.ref if self.round else None

    @property
    def sent_round(self) -> SigningRound:
        """Its round, where its state says that there is one."""
        assert self.round is not None
        return self.round

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def held_for(self) -> str | None:
        """The suspension that holds it, by the id of its event."""
        causes = (hold.cause_event_id for hold in self.holds if hold.kind is HoldKind.PARTNER_SUSPENDED)
        return next(causes, None)

    def today(self, now: datetime) -> date:
        return day_of(now, self.profile.zone)

    def signature_of(self, party: Party) -> Signature | None:
        return self.round.signature_of(party) if self.round else None

    @classmethod
    def begin(cls, event: AgreementDrafted) -> Self:
        return cls(
            id=event.agreement_id,
            partner_id=event.partner_id,
            country=event.country,
            kind=event.kind,
            policy=event.policyref,
            title=event.title,
            officer_id=event.officer_id,
            text_sha256=event.text_sha256,
            term=Term(starts_on=event.starts_on, ends_on=event.ends_on),
        )

    def apply(self, event: Event) -> Self:
        match event:
            case AgreementTextChanged():
                return replace(self, text_sha256=event.text_sha256)
            case AgreementSentForSignature():
                return replace(self, status=Status.IN_SIGNATURE, round=SigningRound.opened(event))
            case TaskAssigned():
                return replace(self, round=self.sent_round.with_task(event))
            case TaskDone():
                return replace(self, round=self.sent_round.without_task(event))
            case AgreementSignedByParty():
                return replace(self, round=self.sent_round.with_signature(event))
            case AgreementHoldOpened():
                return replace(self, holds=(*self.holds, _hold(event)))
            case AgreementHoldClosed():
                return replace(self, holds=tuple(hold for hold in self.holds if hold != _hold(event)))
            case AgreementEnteredIntoForce():
                return replace(self, status=Status.IN_FORCE, effective_on=event.effective_on)
            case AgreementFullySigned() | AgreementExpired() | AgreementLapsed():
                return replace(self, status=_REACHES[type(event)])
            case _:
                raise TypeError(f"{type(event).__name__} is not an event of an agreement")


_REACHES: dict[type[Event], Status] = {
    AgreementFullySigned: Status.SIGNED,
    AgreementExpired: Status.EXPIRED,
    AgreementLapsed: Status.LAPSED,
}


def _hold(event: AgreementHoldOpened | AgreementHoldClosed) -> Hold:
    return Hold(kind=event.kind, cause_event_id=event.cause_event_id)
