"""Holds follow the partner's standing: opened by a suspension, closed when that very suspension is over."""

from datetime import datetime

from services.agreements.instruments.domain.agreement import Agreement, Hold
from services.agreements.instruments.domain.entry import with_entry
from services.agreements.instruments.domain.states import Move, require
from services.agreements.standing.domain.standing import PartnerStanding
from shared.contracts.agreements.agreement import AgreementHoldClosed, AgreementHoldOpened, HoldKind
from shared.contracts.envelope import Event
from shared.errors import OnHold


def follow(agreement: Agreement, partner: PartnerStanding, now: datetime) -> list[Event]:
    """Bring the holds in line with the partner's standing, and do what only a hold kept from happening."""
    require(agreement.status, Move.HOLD)
    cause = partner.suspended_by
    events: list[Event] = [
        AgreementHoldClosed(
            agreement_id=agreement.id,
            partner_id=agreement.partner_id,
            kind=hold.kind,
            cause_event_id=hold.cause_event_id,
            ref=agreement.ref,
        )
        for hold in _of_suspension(agreement)
        if hold.cause_event_id != cause
    ]
    if cause is not None and agreement.held_for != cause:
        events.append(
            AgreementHoldOpened(
                agreement_id=agreement.id,
                partner_id=agreement.partner_id,
                kind=HoldKind.PARTNER_SUSPENDED,
                cause_event_id=cause,
                ref=agreement.ref,
            )
        )
    return with_entry(agreement, events, now)


def refuse_while_held(agreement: Agreement, partner: PartnerStanding) -> None:
    refuse_while_suspended(partner)
    if agreement.holds:
        raise OnHold(
            "on_hold", "A hold blocks this step", holds=sorted({hold.kind for hold in agreement.holds})
        )


def refuse_while_suspended(partner: PartnerStanding) -> None:
    if partner.is_suspended:
        raise OnHold(
            "on_hold", "The partner is suspended, which blocks this step", holds=[HoldKind.PARTNER_SUSPENDED]
        )


def _of_suspension(agreement: Agreement) -> list[Hold]:
    return [hold for hold in agreement.holds if hold.kind is HoldKind.PARTNER_SUSPENDED]
