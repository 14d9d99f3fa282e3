"""Erasing the contact person: their details go from every service, the partner stays."""

from starlette.responses import Response

from services.partners.register import handlers
from services.partners.register.commands import EraseContact
from services.partners.register.pages.standing import ReasonForm
from services.partners.register.pages.telling import TEMPLATES
from services.partners.register.queries import partner_in_reach
from shared.web.act import Act, act_page
from shared.web.ask import Ask
from shared.web.language import _
from shared.web.pages import Pages

pages = Pages("register", templates=TEMPLATES)


@pages.get("/partners/{id}/contact/erase", may="partner:erase_contact")
async def erase_page(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:erase_contact")
    act = Act(
        title=_("Erase the contact person of %(name)s") % {"name": partner.legal_name},
        points=(
            _("Their name and address are deleted here at once, and in every other service within seconds."),
            _("If they can sign in, they cannot any more: their roles end."),
            _("What they did stays on record under a number that names nobody."),
            _("This cannot be taken back."),
        ),
        reason=_("Why are they erased?"),
        reason_hint=_("10 to 2,000 characters. It is kept for good, so do not name the person in it."),
        button=_("Erase the contact person"),
        back=f"/partners/{partner.id}",
        back_name=partner.legal_name,
        version=ask.work.version_of(partner.id),
        is_grave=True,
    )
    return act_page(ask, act)


@pages.post("/partners/{id}/contact/erase", may="partner:erase_contact", again=erase_page)
async def erase(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:erase_contact")
    command = EraseContact(partner_id=partner.id, reason=ask.form(ReasonForm).reason)
    await handlers.erase_contact(command, ask.work)
    return ask.see_other(f"/partners/{partner.id}", done="erased")
