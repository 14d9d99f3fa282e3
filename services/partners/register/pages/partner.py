"""A partner: who it is, how it stands with us, who speaks for it, and what happened."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from services.partners.people.commands import Details
from services.partners.people.domain.person import Person, PersonStatus
from services.partners.people.pages.telling import actors_of, by
from services.partners.people.queries import (
    details_of,
    names_known_to,
    partners_of,
    people_of_partner,
)
from services.partners.register.domain.partner import Partner, PartnerStatus
from services.partners.register.pages import telling
from services.partners.register.queries import Notice, Reach, notices_of, partner_in_reach
from shared.contracts.partners.partner import PartnerSuspended
from shared.http.paging import PageAsked
from shared.web.ask import Ask
from shared.web.formats import Formats
from shared.web.history import Happened, History, history
from shared.web.pages import Pages

pages = Pages("register", templates=telling.TEMPLATES)

EVENTS_IN_SIGHT = 10
NOTICES_IN_SIGHT = 5
ACTS = ("partner:suspend", "partner:reinstate", "partner:erase_contact", "person:invite", "contact:read")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A line of the timeline."""

    at: datetime
    what: str
    more: str
    by: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Somebody who speaks for the partner, or was asked to. `name` is None where it was erased."""

    id: str
    name: str | None
    status: PersonStatus
    until: datetime | None


@pages.get("/partners/{id}", may="partner:read")
async def partner_page(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:read")
    may = frozenset(name for name in ACTS if Reach.of(ask.actor, name).includes(partner))
    known = await history_of(ask, partner, limit=EVENTS_IN_SIGHT)
    notices = await notices_in_sight(ask, partner)
    speakers = await _speakers(ask, partner)
    names = await _names(ask, known, notices)
    return ask.page(
        "register/partner.html",
        partner=partner,
        version=ask.work.version_of(partner.id),
        may=may,
        contact=await _contact(ask, partner) if "contact:read" in may else None,
        speakers=speakers,
        notices=notices,
        names=names,
        lines=[line(one, partner, names, ask.formats) for one in known.entries],
        suspension=_suspension(known, partner),
        telling=telling,
    )


async def history_of(ask: Ask, partner: Partner, *, limit: int, before: int | None = None) -> History:
    """A country is no audience of an event; whose reach includes the partner may know what they may know."""
    also = (f"country:{partner.country}",)
    return await history(ask.work.mongo, partner.id, ask.actor, before=before, limit=limit, also=also)


async def notices_in_sight(ask: Ask, partner: Partner) -> list[Notice] | None:
    """None: they are not the reader's to see."""
    if not Reach.of(ask.actor, "delivery:read").includes(partner):
        return None
    return (await notices_of(ask.work, partner, PageAsked(limit=NOTICES_IN_SIGHT))).items


def line(one: Happened, partner: Partner, names: dict[str, str], formats: Formats) -> Told:
    return Told(
        at=one.at,
        what=telling.what(one.event.type),
        more=telling.more(one.event, formats),
        by=by(one.envelope, names),
        evidence=f"/partners/{partner.id}/timeline#number-{one.version}",
    )


async def _names(ask: Ask, known: History, notices: list[Notice] | None) -> dict[str, str]:
    actors = actors_of(one.envelope for one in known.entries)
    told = {notice.recipient for notice in notices or () if notice.recipient}
    return await names_known_to(ask.work.mongo, ask.actor, actors | told)


async def _contact(ask: Ask, partner: Partner) -> Details | None:
    return None if partner.contact_id is None else await details_of(ask.work.mongo, partner.contact_id)


async def _speakers(ask: Ask, partner: Partner) -> list[Speaker] | None:
    """None: they are not the reader's to know."""
    if not (Reach.of(ask.actor, "person:read").includes(partner) or partner.id in partners_of(ask.actor)):
        return None
    people = await people_of_partner(ask.work.mongo, partner.id)
    names = await names_known_to(ask.work.mongo, ask.actor, [person.id for person in people])
    return [_speaker(person, names.get(person.id)) for person in people]


def _speaker(person: Person, name: str | None) -> Speaker:
    waits = person.status is PersonStatus.INVITED and person.invitation is not None
    until = person.invitation.expires_at if waits and person.invitation else None
    return Speaker(id=person.id, name=name, status=person.status, until=until)


def _suspension(known: History, partner: Partner) -> Happened | None:
    """The event that suspended it, where it is suspended and that event is in sight."""
    if partner.status is not PartnerStatus.SUSPENDED:
        return None
    return next((one for one in known.entries if isinstance(one.event, PartnerSuspended)), None)
