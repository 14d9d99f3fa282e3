"""What has happened to an agreement, from its stream, as far as whoever looks may know."""

from dataclasses import dataclass
from datetime import datetime

from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.standing.domain.reach import Reach
from shared.contracts import catalogue
from shared.contracts.agreements.agreement import (
    AgreementDrafted,
    AgreementEnteredIntoForce,
    AgreementExpired,
    AgreementFullySigned,
    AgreementHoldClosed,
    AgreementHoldOpened,
    AgreementLapsed,
    AgreementSentForSignature,
    AgreementSignedByParty,
    AgreementTextChanged,
    Party,
)
from shared.contracts.envelope import Envelope, Event, open_envelope
from shared.contracts.vocabulary import Visibility
from shared.storage.event_log import read_stream
from shared.storage.mongo import Mongo
from shared.web.language import _


@dataclass(frozen=True, kw_only=True)
class Happened:
    """`said`: in the reader's language; empty where it is nothing to tell, as of tasks, which My work has.
    `number` and `hash`: its place in the stream and its link.
    """

    at: datetime
    event: Event
    said: str
    more: str
    actor_id: str
    number: int
    hash: str


async def history(mongo: Mongo, agreement: Agreement, reach: Reach) -> list[Happened]:
    """The latest first."""
    found = []
    for sealed in await read_stream(mongo, agreement.id):
        envelope = open_envelope(sealed.body)
        if is_visible(envelope, agreement, reach):
            event = catalogue.event_of(envelope)
            found.append(
                Happened(
                    at=envelope.time,
                    event=event,
                    said=said(event),
                    more=more(event),
                    actor_id=envelope.actor,
                    number=sealed.version,
                    hash=sealed.hash.hex(),
                )
            )
    return found[::-1]


def is_visible(envelope: Envelope, agreement: Agreement, reach: Reach) -> bool:
    if envelope.visibility is Visibility.SEALED:
        return False
    if reach.covers(agreement.partner_id, agreement.country) or envelope.visibility is Visibility.PUBLIC:
        return True
    theirs = {f"partner:{partner_id}" for partner_id in reach.own}
    return not theirs.isdisjoint(envelope.audiences)


def first_of(happened: list[Happened], kind: type[Event]) -> datetime | None:
    """When this last came about."""
    return next((one.at for one in happened if isinstance(one.event, kind)), None)


def said(event: Event) -> str:
    match event:
        case AgreementSentForSignature():
            return _("Sent for signature")
        case AgreementSignedByParty():
            ours = event.party is Party.ORGANISATION
            return _("Signed by the organisation") if ours else _("Signed by the partner")
        case AgreementEnteredIntoForce():
            return _("Entered into force")
        case AgreementHoldOpened():
            return _("Put on hold, because the partner was suspended")
        case AgreementHoldClosed():
            return _("The hold was lifted, because the partner was reinstated")
        case AgreementLapsed():
            return _("Lapsed, because the time to sign passed")
        case AgreementExpired():
            return _("Ended with its last day")
    return _of_texts(event)


def _of_texts(event: Event) -> str:
    match event:
        case AgreementDrafted():
            return _("Drafted")
        case AgreementTextChanged():
            return _("Text changed")
        case AgreementFullySigned():
            return _("Signed by both sides")
    return ""


def more(event: Event) -> str:
    match event:
        case AgreementSentForSignature():
            return event.ref
        case AgreementDrafted():
            return event.title
    return ""
