"""Suspending a partner, and reinstating it. What that does to its agreements is said before it is done."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from services.partners.register import handlers
from services.partners.register.commands import ReinstatePartner, SuspendPartner
from services.partners.register.domain.partner import REASON_LENGTH_MAX
from services.partners.register.pages.telling import TEMPLATES
from services.partners.register.queries import partner_in_reach
from shared.http.bodies import Lines
from shared.web.act import Act, act_page
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.language import _
from shared.web.pages import Pages

pages = Pages("register", templates=TEMPLATES)


class ReasonForm(FormModel):
    reason: Annotated[Lines, Field(max_length=REASON_LENGTH_MAX)]


@pages.get("/partners/{id}/suspend", may="partner:suspend")
async def suspend_page(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:suspend")
    act = Act(
        title=_("Suspend %(name)s") % {"name": partner.legal_name},
        points=(
            _("While it is suspended, its agreements cannot be sent, signed or enter into force."),
            _("What is in force stays in force. Deadlines run on: what is not signed in time lapses."),
            _("Its people can still sign in and read. They are told of the suspension and of your reason."),
            _("Reinstating it lifts every hold that this suspension has made."),
        ),
        reason=_("Why is it suspended?"),
        reason_hint=_(
            "10 to 2,000 characters. It is kept for good and the partner reads it; name no person."
        ),
        button=_("Suspend the partner"),
        back=f"/partners/{partner.id}",
        back_name=partner.legal_name,
        version=ask.work.version_of(partner.id),
        is_grave=True,
    )
    return act_page(ask, act)


@pages.post("/partners/{id}/suspend", may="partner:suspend", again=suspend_page)
async def suspend(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:suspend")
    command = SuspendPartner(partner_id=partner.id, reason=ask.form(ReasonForm).reason)
    await handlers.suspend_partner(command, ask.work)
    return ask.see_other(f"/partners/{partner.id}", done="suspended")


@pages.get("/partners/{id}/reinstate", may="partner:reinstate")
async def reinstate_page(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:reinstate")
    act = Act(
        title=_("Reinstate %(name)s") % {"name": partner.legal_name},
        points=(
            _("The holds that its suspension put on its agreements are lifted, within seconds."),
            _("What waited behind a hold can go on; deadlines are what they were."),
            _("Its people are told, with your reason."),
        ),
        reason=_("Why is it reinstated?"),
        reason_hint=_(
            "10 to 2,000 characters. It is kept for good and the partner reads it; name no person."
        ),
        button=_("Reinstate the partner"),
        back=f"/partners/{partner.id}",
        back_name=partner.legal_name,
        version=ask.work.version_of(partner.id),
    )
    return act_page(ask, act)


@pages.post("/partners/{id}/reinstate", may="partner:reinstate", again=reinstate_page)
async def reinstate(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:reinstate")
    command = ReinstatePartner(partner_id=partner.id, reason=ask.form(ReasonForm).reason)
    await handlers.reinstate_partner(command, ask.work)
    return ask.see_other(f"/partners/{partner.id}", done="reinstated")
