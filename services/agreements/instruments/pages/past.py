"""What has happened to an agreement, as far as whoever looks may know, and what its events are called."""

from datetime import datetime

from pydantic import Field
from starlette.responses import Response

from services.agreements.instruments.pages.shown import Shown, shown
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
from shared.contracts.envelope import Event
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.storage.change import EVENTS
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.history import ENTRIES_MAX, Happened, History, history
from shared.web.language import N_, _
from shared.web.pages import Pages

pages = Pages("instruments")

IN_SIGHT = 20

_SAID: dict[type[Event], str] = {
    AgreementDrafted: N_("Drafted"),
    AgreementTextChanged: N_("Text changed"),
    AgreementSentForSignature: N_("Sent for signature"),
    AgreementFullySigned: N_("Signed by both sides"),
    AgreementEnteredIntoForce: N_("Entered into force"),
    AgreementExpired: N_("Ended with its last day"),
    AgreementLapsed: N_("Lapsed, because the time to sign passed"),
    AgreementHoldOpened: N_("Put on hold, because the partner was suspended"),
    AgreementHoldClosed: N_("The hold was lifted, because the partner was reinstated"),
    TaskAssigned: N_("Somebody was asked to sign"),
    TaskDone: N_("Nobody is asked to sign any more for that side"),
}


class FromVersion(FormModel):
    """`cursor`: the version before which to read on."""

    cursor: int | None = Field(None, ge=1, lt=2**53)


@pages.get("/agreements/{id}/timeline", may="agreement:read")
async def timeline_page(ask: Ask) -> Response:
    one = await shown(ask)
    known = await history_of(ask, one, before=ask.query(FromVersion).cursor)
    template = "instruments/timeline.html"
    return ask.page(template, agreement=one.agreement, known=known, what=what, more=more)


async def history_of(ask: Ask, one: Shown, *, before: int | None = None, limit: int = ENTRIES_MAX) -> History:
    """Those of ours whose reach is a country or a partner may know what those without a limit may."""
    agreement = one.agreement
    ours = (f"country:{agreement.country}", f"partner:{agreement.partner_id}")
    also = ours if one.ours else ()
    return await history(ask.work.mongo, agreement.id, ask.actor, before=before, limit=limit, also=also)


def worth_telling(known: History) -> list[Happened]:
    """Without the tasks, which My work has."""
    return [one for one in known.entries if not isinstance(one.event, TaskAssigned | TaskDone)]


async def last_at(ask: Ask, one: Shown, kind: type[Event]) -> datetime | None:
    """When this last came about."""
    query = {"stream": one.agreement.id, "type": kind.type}
    found = await ask.work.mongo[EVENTS].find_one(query, {"at": 1}, sort=[("version", -1)])
    return None if found is None else found["at"]


def what(event: Event) -> str:
    if isinstance(event, AgreementSignedByParty):
        ours = event.party is Party.ORGANISATION
        return _("Signed by the organisation") if ours else _("Signed by the partner")
    return _(_SAID[type(event)]) if type(event) in _SAID else event.type


def more(event: Event) -> str:
    match event:
        case AgreementSentForSignature():
            return event.ref
        case AgreementDrafted():
            return event.title
        case AgreementTextChanged():
            return event.text_sha256
    return ""
