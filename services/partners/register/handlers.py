"""What happens when the register is asked: load, decide, save. Whose partner it is was settled before."""

from services.partners.people.commands import InviteKnownPerson, InvitePartnerUser, NewInvitation
from services.partners.people.documents import persons
from services.partners.people.handlers import (
    erase_all_of,
    invite_known_person,
    invite_partner_user,
    keep_details,
)
from services.partners.register.commands import (
    EraseContact,
    InviteAgain,
    InviteUser,
    RegisterPartner,
    ReinstatePartner,
    SuspendPartner,
)
from services.partners.register.documents import partners
from services.partners.register.domain.partner import Partner
from shared.errors import NotFound
from shared.ids import new_id
from shared.storage.repository import Unit


async def register_partner(command: RegisterPartner, unit: Unit, id: str | None = None) -> Partner:
    """`id` is given where others know it beforehand, as the demonstration's people do."""
    partner_id, contact_id = id or new_id("ptn"), new_id("prs")
    events = Partner.register(
        partner_id,
        legal_name=command.legal_name,
        kind=command.kind,
        country=command.country,
        contact_id=contact_id,
    )
    keep_details(unit, contact_id, command.contact, in_directory=False)
    return partners.create(unit, partner_id, events)


async def suspend_partner(command: SuspendPartner, unit: Unit) -> Partner:
    partner = await partners.load(unit, command.partner_id)
    return partners.save(unit, partner, partner.suspend(command.reason))


async def reinstate_partner(command: ReinstatePartner, unit: Unit) -> Partner:
    partner = await partners.load(unit, command.partner_id)
    return partners.save(unit, partner, partner.reinstate(command.reason))


async def erase_contact(command: EraseContact, unit: Unit) -> Partner:
    """The person too, where the contact person is in the directory: nothing of them may stay anywhere."""
    partner = await partners.load(unit, command.partner_id)
    erased = partners.save(unit, partner, partner.erase_contact(command.reason))
    if partner.contact_id is not None:
        await erase_all_of(partner.contact_id, command.reason, unit)
    return erased


async def invite_user(command: InviteUser, unit: Unit) -> NewInvitation:
    partner = await partners.load(unit, command.partner_id)
    invitation = InvitePartnerUser(
        partner_id=partner.id,
        partner_name=partner.legal_name,
        details=command.details,
        zone=command.zone,
    )
    return await invite_partner_user(invitation, unit)


async def invite_again(command: InviteAgain, unit: Unit) -> NewInvitation:
    partner = await partners.load(unit, command.partner_id)
    if command.person_id != partner.contact_id:
        await _require_invited_before(command.person_id, partner.id, unit)
    invitation = InviteKnownPerson(
        partner_id=partner.id,
        partner_name=partner.legal_name,
        person_id=command.person_id,
        zone=command.zone,
    )
    return await invite_known_person(invitation, unit)


async def _require_invited_before(person_id: str, partner_id: str, unit: Unit) -> None:
    person = await persons.load(unit, person_id)
    if person.invitation is None or person.invitation.partner_id != partner_id:
        raise NotFound("person_not_found", "There is no such person", id=person_id)
