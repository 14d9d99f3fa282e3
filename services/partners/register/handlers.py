"""What happens when the register is asked: load, decide, save. Whose partner it is was settled before."""

from services.partners.people.commands import Details, InviteKnownPerson, InvitePartnerUser, NewInvitation
from services.partners.people.documents import persons
from services.partners.people.handlers import (
    erase_all_of,
    invite_known_person,
    invite_partner_user,
    keep_details,
)
from services.partners.register import drafts
from services.partners.register.commands import (
    AnswerContact,
    AnswerCountry,
    AnswerName,
    DiscardDraft,
    EraseContact,
    InviteAgain,
    InviteUser,
    RegisterPartner,
    ReinstatePartner,
    SendDraft,
    SuspendPartner,
)
from services.partners.register.documents import partners
from services.partners.register.domain.draft import Draft, DraftContact
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


async def begin_draft(unit: Unit) -> Draft:
    await drafts.require_room(unit)
    draft = Draft.begin(new_id("drf"), owner_id=unit.context.actor.id, now=unit.context.recorded_at)
    drafts.add(unit, draft)
    return draft


async def answer_name(command: AnswerName, unit: Unit) -> Draft:
    draft = await drafts.my_draft(unit, command.draft_id)
    named = draft.named(command.legal_name, command.kind, now=unit.context.recorded_at)
    return drafts.change(unit, draft, named)


async def answer_country(command: AnswerCountry, unit: Unit) -> Draft:
    draft = await drafts.my_draft(unit, command.draft_id)
    return drafts.change(unit, draft, draft.placed(command.country, now=unit.context.recorded_at))


async def answer_contact(command: AnswerContact, unit: Unit) -> Draft:
    draft = await drafts.my_draft(unit, command.draft_id)
    contact = DraftContact(**command.contact.model_dump())
    return drafts.change(unit, draft, draft.contacted(contact, now=unit.context.recorded_at))


async def discard_draft(command: DiscardDraft, unit: Unit) -> None:
    drafts.remove(unit, await drafts.my_draft(unit, command.draft_id))


async def send_draft(command: SendDraft, unit: Unit) -> Partner:
    draft = await drafts.my_draft(unit, command.draft_id)
    draft.require_complete()
    assert draft.legal_name and draft.kind and draft.country and draft.contact, "it is complete"
    drafts.remove(unit, draft)
    contact = draft.contact
    registered = RegisterPartner(
        legal_name=draft.legal_name,
        kind=draft.kind,
        country=draft.country,
        contact=Details.model_validate(
            {"name": contact.name, "email": contact.email, "language": contact.language}
        ),
    )
    return await register_partner(registered, unit)


async def _require_invited_before(person_id: str, partner_id: str, unit: Unit) -> None:
    person = await persons.load(unit, person_id)
    if person.invitation is None or person.invitation.partner_id != partner_id:
        raise NotFound("person_not_found", "There is no such person", id=person_id)
