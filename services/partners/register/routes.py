"""HTTP in: the register of partners.

What a POST answers is kept for a day, to be given again; so the contact person is an id in it, or their name
would outlive an erasure.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from services.partners.people.commands import Details, Email, Language, NewInvitation, PersonName, Zone
from services.partners.register import handlers
from services.partners.register.commands import (
    EraseContact,
    InviteAgain,
    InviteUser,
    RegisterPartner,
    ReinstatePartner,
    SuspendPartner,
)
from services.partners.register.documents import partners
from services.partners.register.domain.partner import (
    LEGAL_NAME_LENGTH_MAX,
    REASON_LENGTH_MAX,
    Partner,
    PartnerStatus,
)
from services.partners.register.queries import (
    Notice,
    Reach,
    contact_of,
    notices_of,
    partner_in_reach,
    partners_wanted,
    require_reach,
)
from shared.contracts.notifications.delivery import Channel
from shared.contracts.vocabulary import PartnerKind
from shared.http.app import Answer, Body, Lines, Routes, Work
from shared.http.paging import Page, Paging, page_of
from shared.storage.repository import Unit

routes = Routes("partners", room="register")

# Somebody may type more than a name can have; what is longer finds nothing anyway.
NAME_FILTER_LENGTH_MAX = LEGAL_NAME_LENGTH_MAX
COUNTRY_LENGTH_MAX = 3


class ContactIn(Body):
    name: PersonName
    email: Email
    language: Language


class PartnerIn(Body):
    """`country`: ISO 3166-1, alpha-3 (KEN) or alpha-2 (KE)."""

    legal_name: str = Field(max_length=LEGAL_NAME_LENGTH_MAX)
    kind: PartnerKind
    country: str = Field(max_length=COUNTRY_LENGTH_MAX)
    contact: ContactIn


class PartnerReasonIn(Body):
    """It is kept for good and the partner may read it; it must not name a person."""

    reason: Lines = Field(max_length=REASON_LENGTH_MAX)


class InvitationIn(Body):
    name: PersonName
    email: Email
    language: Language
    zone: Zone


class ZoneIn(Body):
    zone: Zone


class PartnerOut(Answer):
    id: str
    version: int
    legal_name: str
    kind: PartnerKind
    country: str
    status: PartnerStatus
    contact_id: str | None


class PartnerContactOut(Answer):
    id: str
    name: str
    email: str
    language: str


class InvitationOut(Answer):
    """`code` is shown this once: give it to whom you invite. What we keep of it is its SHA-256."""

    person_id: str
    partner_id: str
    code: str
    expires_at: datetime


class NoticeOut(Answer):
    """What became of a notice about the partner. Who it went to is the secretariat's to know."""

    id: str
    event_type: str
    channel: Channel
    recipient: str | None
    outcome: str
    reason: str | None
    attempts: int
    at: datetime


@routes.post("/partners", status=201, may="partner:register")
async def register_partner(body: PartnerIn, work: Work) -> PartnerOut:
    """One partner of a name and country; case, accents and punctuation do not make another name."""
    command = RegisterPartner(
        legal_name=body.legal_name, kind=body.kind, country=body.country, contact=_details(body.contact)
    )
    partner = await handlers.register_partner(command, work)
    require_reach(work, partner, "partner:register")
    return _of_unit(partner, work)


@routes.get("/partners", may="partner:read")
async def list_partners(
    paging: Paging,
    work: Work,
    kind: PartnerKind | None = None,
    country: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
    status: PartnerStatus | None = None,
    name: Annotated[str | None, Query(max_length=NAME_FILTER_LENGTH_MAX)] = None,
) -> Page[PartnerOut]:
    """In the order of names. `name`: how it begins, whatever its case, accents and punctuation."""
    reach = Reach.of(work.context.actor, "partner:read")
    wanted = partners_wanted(reach, kind=kind, country=country, status=status, name=name)
    sort = [("name_sort", 1)]
    return await page_of(work.mongo[partners.collection], wanted, paging=paging, make=_of_document, sort=sort)


@routes.get("/partners/{id}", may="partner:read")
async def read_partner(id: str, work: Work) -> PartnerOut:
    return _of_unit(await partner_in_reach(work, id, "partner:read"), work)


@routes.post("/partners/{id}/suspensions", status=201, may="partner:suspend")
async def suspend_partner(id: str, body: PartnerReasonIn, work: Work) -> PartnerOut:
    await partner_in_reach(work, id, "partner:suspend")
    command = SuspendPartner(partner_id=id, reason=body.reason)
    return _of_unit(await handlers.suspend_partner(command, work), work)


@routes.post("/partners/{id}/reinstatements", status=201, may="partner:reinstate")
async def reinstate_partner(id: str, body: PartnerReasonIn, work: Work) -> PartnerOut:
    await partner_in_reach(work, id, "partner:reinstate")
    command = ReinstatePartner(partner_id=id, reason=body.reason)
    return _of_unit(await handlers.reinstate_partner(command, work), work)


@routes.get("/partners/{id}/contact", may="contact:read")
async def read_contact(id: str, work: Work) -> PartnerContactOut:
    partner = await partner_in_reach(work, id, "contact:read")
    contact = await contact_of(work, partner)
    assert partner.contact_id is not None, "who is kept has an id"
    return PartnerContactOut(
        id=partner.contact_id, name=contact.name, email=contact.email, language=contact.language
    )


@routes.post("/partners/{id}/contact/erasures", status=201, may="partner:erase_contact")
async def erase_contact(id: str, body: PartnerReasonIn, work: Work) -> PartnerOut:
    """Every service forgets who the contact person is, and they lose their access. The partner stays."""
    await partner_in_reach(work, id, "partner:erase_contact")
    command = EraseContact(partner_id=id, reason=body.reason)
    return _of_unit(await handlers.erase_contact(command, work), work)


@routes.post("/partners/{id}/invitations", status=201, may="person:invite")
async def invite_user(id: str, body: InvitationIn, work: Work) -> InvitationOut:
    """Somebody new is asked to speak for the partner, within 30 days."""
    await partner_in_reach(work, id, "person:invite")
    details = Details(name=body.name, email=body.email, language=body.language)
    command = InviteUser(partner_id=id, details=details, zone=body.zone)
    return _invitation(await handlers.invite_user(command, work))


@routes.post("/partners/{id}/people/{person_id}/invitations", status=201, may="person:invite")
async def invite_again(id: str, person_id: str, body: ZoneIn, work: Work) -> InvitationOut:
    """The contact person, or who was invited before: the code before this one is dead."""
    await partner_in_reach(work, id, "person:invite")
    command = InviteAgain(partner_id=id, person_id=person_id, zone=body.zone)
    return _invitation(await handlers.invite_again(command, work))


@routes.get("/partners/{id}/notices", may="delivery:read")
async def list_notices(id: str, paging: Paging, work: Work) -> Page[NoticeOut]:
    """What became of the notices about the partner, the latest first."""
    partner = await partner_in_reach(work, id, "delivery:read")
    page = await notices_of(work, partner, paging)
    return Page(items=[_notice(notice) for notice in page.items], next=page.next)


def _details(contact: ContactIn) -> Details:
    return Details(name=contact.name, email=contact.email, language=contact.language)


def _of_unit(partner: Partner, unit: Unit) -> PartnerOut:
    version = unit.version_of(partner.id)
    assert version is not None, "the unit has loaded or made the partner it speaks of"
    return _partner_out(partner, version)


def _of_document(document: dict[str, Any]) -> PartnerOut:
    return _partner_out(partners.restore(document), document["version"])


def _partner_out(partner: Partner, version: int) -> PartnerOut:
    return PartnerOut(
        id=partner.id,
        version=version,
        legal_name=partner.legal_name,
        kind=partner.kind,
        country=partner.country,
        status=partner.status,
        contact_id=partner.contact_id,
    )


def _invitation(new: NewInvitation) -> InvitationOut:
    return InvitationOut(
        person_id=new.person_id,
        partner_id=new.partner_id,
        code=new.code.get_secret_value(),
        expires_at=new.expires_at,
    )


def _notice(notice: Notice) -> NoticeOut:
    return NoticeOut(
        id=notice.id,
        event_type=notice.event_type,
        channel=notice.channel,
        recipient=notice.recipient,
        outcome=notice.outcome,
        reason=notice.reason,
        attempts=notice.attempts,
        at=notice.at,
    )
