"""What time does to an agreement, and the instants at which it does it."""

from collections.abc import Mapping
from datetime import datetime

from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.dates import end_of, start_of
from services.agreements.instruments.domain.holds import follow
from services.agreements.instruments.domain.round import done
from services.agreements.instruments.domain.states import Move, Status, require
from services.agreements.standing.domain.standing import PartnerStanding
from shared.contracts.agreements.agreement import AgreementExpired, AgreementLapsed
from shared.contracts.envelope import Event
from shared.errors import Refusal


def due(agreement: Agreement) -> Mapping[Move, datetime]:
    """What is to happen to it by itself, and when: nothing but a function of its state."""
    zone, term = agreement.profile.zone, agreement.term
    match agreement.status:
        case Status.IN_SIGNATURE:
            return {Move.LAPSE: agreement.sent_round.closes_at}
        case Status.SIGNED:
            first = {Move.ENTER_INTO_FORCE: start_of(term.starts_on, zone)} if term.starts_on else {}
            return {**first, Move.EXPIRE: end_of(term.ends_on, zone)}
        case Status.IN_FORCE:
            return {Move.EXPIRE: end_of(term.ends_on, zone)}
        case _:
            return {}


def lapse(agreement: Agreement, now: datetime) -> list[Event]:
    """The round closed before everybody had signed."""
    _require_due(agreement, Move.LAPSE, now)
    round = agreement.sent_round
    lapsed = AgreementLapsed(
        agreement_id=agreement.id,
        partner_id=agreement.partner_id,
        ref=round.ref,
        closed_at=round.closes_at,
    )
    return [lapsed, *(done(agreement.id, task, "lapsed") for task in round.tasks)]


def enter_into_force(agreement: Agreement, partner: PartnerStanding, now: datetime) -> list[Event]:
    """Its first day has come. Where a hold is in the way it enters when that closes."""
    _require_due(agreement, Move.ENTER_INTO_FORCE, now)
    return follow(agreement, partner, now)


def expire(agreement: Agreement, now: datetime) -> list[Event]:
    _require_due(agreement, Move.EXPIRE, now)
    return [
        AgreementExpired(
            agreement_id=agreement.id,
            partner_id=agreement.partner_id,
            ref=agreement.sent_round.ref,
            ends_on=agreement.term.ends_on,
        )
    ]


def _require_due(agreement: Agreement, move: Move, now: datetime) -> None:
    require(agreement.status, move)
    due_at = due(agreement).get(move)
    if due_at is None or now < due_at:
        raise Refusal("not_due", "The time for this has not come", due_at=due_at)
