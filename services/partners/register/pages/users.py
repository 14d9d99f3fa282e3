"""Inviting people to speak for a partner. An invitation's code is shown once, with what to do with it.

The answer that shows it is kept for a day, as every answer is, sealed under the form's own key: who sends the
same form again sees the same code, and nobody else does.
"""

from starlette.responses import Response

from services.partners.people.commands import Details, Language, NewInvitation, PersonName, Zone
from services.partners.people.pages.fields import (
    EmailField,
    language_options,
    usual_zone,
    zone_options,
)
from services.partners.people.queries import details_of, people_of_partner
from services.partners.register import handlers
from services.partners.register.commands import InviteAgain, InviteUser
from services.partners.register.domain.partner import Partner
from services.partners.register.pages.telling import TEMPLATES
from services.partners.register.queries import partner_in_reach
from shared.errors import NotFound
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.pages import Pages

pages = Pages("register", templates=TEMPLATES)


class InvitationForm(FormModel):
    name: PersonName
    email: EmailField
    language: Language
    zone: Zone


class AgainForm(FormModel):
    zone: Zone


@pages.get("/partners/{id}/invite", may="person:invite")
async def invite_page(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "person:invite")
    return _form(ask, partner, person=None)


@pages.post("/partners/{id}/invite", may="person:invite", again=invite_page)
async def invite(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "person:invite")
    form = ask.form(InvitationForm)
    details = Details(name=form.name, email=form.email, language=form.language)
    command = InviteUser(partner_id=partner.id, details=details, zone=form.zone)
    return _code(ask, partner, await handlers.invite_user(command, ask.work))


@pages.get("/partners/{id}/people/{person_id}/invite", may="person:invite")
async def invite_again_page(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "person:invite")
    await _require_concerned(ask, partner)
    return _form(ask, partner, person=await details_of(ask.work.mongo, ask.path("person_id")))


@pages.post("/partners/{id}/people/{person_id}/invite", may="person:invite", again=invite_again_page)
async def invite_again(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "person:invite")
    command = InviteAgain(
        partner_id=partner.id, person_id=ask.path("person_id"), zone=ask.form(AgainForm).zone
    )
    return _code(ask, partner, await handlers.invite_again(command, ask.work))


async def _require_concerned(ask: Ask, partner: Partner) -> None:
    """Whoever has nothing to do with the partner is not shown here, to anybody."""
    id = ask.path("person_id")
    if id != partner.contact_id and id not in {
        one.id for one in await people_of_partner(ask.work.mongo, partner.id)
    }:
        raise NotFound("person_not_found", "There is no such person", id=id[:64])


def _form(ask: Ask, partner: Partner, *, person: Details | None) -> Response:
    return ask.page(
        "register/invite.html",
        partner=partner,
        is_known="person_id" in ask.request.path_params,
        person=person if ask.may("person:read") else None,
        tongues=language_options(ask.formats),
        zones=zone_options(),
        zone=usual_zone(partner.country, ask.actor.zone),
    )


def _code(ask: Ask, partner: Partner, made: NewInvitation) -> Response:
    """The name of who was invited is not in it: this answer is kept, and would outlive an erasure."""
    code = made.code.get_secret_value()
    address = f"{ask.site.origin}/partners/join?code={code}"
    return ask.page(
        "register/invited.html", partner=partner, code=code, address=address, until=made.expires_at
    )
