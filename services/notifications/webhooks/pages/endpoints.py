"""Endpoints on a screen: register one, see its secret once, rotate it, stop it and let it go on."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from services.notifications.deliveries.domain.types import TYPES_MAX
from services.notifications.webhooks import handlers
from services.notifications.webhooks.addresses import URL_CHARACTERS_MAX
from services.notifications.webhooks.commands import (
    DisableEndpoint,
    EnableEndpoint,
    NewSecret,
    RegisterEndpoint,
    RotateSecret,
)
from services.notifications.webhooks.domain import AGE_S_MAX
from services.notifications.webhooks.endpoint import GONE, GRACE_S_MAX, GRACE_S_USUAL
from services.notifications.webhooks.handlers import MANAGE, Premises
from services.notifications.webhooks.pages.deliveries import deliveries_to
from services.notifications.webhooks.queries import endpoint_known, endpoints_of
from shared.contracts.catalogue import EVENTS
from shared.errors import Invalid
from shared.http.bodies import Lines
from shared.web.ask import Ask
from shared.web.forms import FieldError, FormInvalid, FormModel
from shared.web.language import _
from shared.web.pages import Pages

REASON_CHARACTERS_MAX = 500
TYPE_CHARACTERS_MAX = 100
CREATED = 201
_HOUR_S = 3_600
LISTED = "/notifications/webhooks"


class EndpointForm(FormModel):
    url: Annotated[str, Field(max_length=URL_CHARACTERS_MAX)]
    types: Annotated[Lines, Field(max_length=TYPES_MAX * (TYPE_CHARACTERS_MAX + 1))]


class RotationForm(FormModel):
    grace_s: int = Field(GRACE_S_USUAL, ge=0, le=GRACE_S_MAX)


class ReasonForm(FormModel):
    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)


def add_endpoint_pages(pages: Pages, premises: Premises, demo_receiver: str) -> None:
    """The list, and a new one. `demo_receiver`: the path of the demonstration's, or empty."""

    @pages.get(LISTED, may=MANAGE)
    async def endpoints(ask: Ask) -> Response:
        known = await endpoints_of(ask.work.mongo, ask.actor)
        return ask.page("webhooks/endpoints.html", endpoints=known, receiver=demo_receiver, gone=GONE)

    @pages.get(f"{LISTED}/new", may=MANAGE)
    async def new_endpoint(ask: Ask) -> Response:
        own = f"{ask.site.origin}{demo_receiver}" if demo_receiver else ""
        wanted = own if own and ask.request.query_params.get("to") == "demo-receiver" else ""
        return ask.page("webhooks/new.html", own=own, url=wanted, types=sorted(EVENTS))

    @pages.post(LISTED, may=MANAGE, again=new_endpoint)
    async def register(ask: Ask) -> Response:
        form = ask.form(EndpointForm)
        command = RegisterEndpoint(url=form.url, types=tuple(form.types.split()))
        try:
            made = await handlers.register_endpoint(command, ask.work, premises)
        except Invalid as wrong:
            raise _at_its_field(wrong) from None
        return _shown_once(ask, made)


def add_pages_of_one(pages: Pages, premises: Premises) -> None:
    """What one endpoint is, and what may be done with it."""

    @pages.get(f"{LISTED}/{{id}}", may=MANAGE)
    async def endpoint(ask: Ask) -> Response:
        known = await endpoint_known(ask.work.mongo, ask.path("id"), ask.actor)
        deliveries = await deliveries_to(known.address, ask)
        now = ask.work.context.recorded_at
        signing = [one.until for one in known.address.secrets if one.until is None or one.until > now]
        return ask.page(
            "webhooks/endpoint.html",
            known=known,
            endpoint=known.address,
            signing=signing,
            graces=_graces(),
            grace_s=GRACE_S_USUAL,
            gone=GONE,
            age_days=AGE_S_MAX // 86_400,
            deliveries=deliveries.items,
            next=deliveries.next,
        )

    @pages.post(f"{LISTED}/{{id}}/rotations", may=MANAGE, again=endpoint)
    async def rotate(ask: Ask) -> Response:
        command = RotateSecret(endpoint_id=ask.path("id"), grace_s=ask.form(RotationForm).grace_s)
        return _shown_once(ask, await handlers.rotate_secret(command, ask.work, premises))

    @pages.post(f"{LISTED}/{{id}}/disablings", may=MANAGE, again=endpoint)
    async def disable(ask: Ask) -> Response:
        command = DisableEndpoint(endpoint_id=ask.path("id"), reason=ask.form(ReasonForm).reason)
        await handlers.disable_endpoint(command, ask.work)
        return ask.see_other(f"{LISTED}/{command.endpoint_id}", done="disabled")

    @pages.post(f"{LISTED}/{{id}}/enablings", may=MANAGE, again=endpoint)
    async def enable(ask: Ask) -> Response:
        command = EnableEndpoint(endpoint_id=ask.path("id"), reason=ask.form(ReasonForm).reason)
        await handlers.enable_endpoint(command, ask.work)
        return ask.see_other(f"{LISTED}/{command.endpoint_id}", done="enabled")


def _at_its_field(wrong: Invalid) -> FormInvalid:
    """What is wrong with the address, or else with the types."""
    field = "url" if wrong.code.startswith("webhook_url") else "types"
    return FormInvalid([FieldError(field, _(wrong.message))])


def _shown_once(ask: Ask, made: NewSecret) -> Response:
    """The answer to the form itself: at an address of its own the secret could be asked for again."""
    return ask.page(
        "webhooks/secret.html",
        status=CREATED,
        endpoint_id=made.endpoint_id,
        secret=made.secret.get_secret_value(),
        old_until=made.old_until,
    )


def _graces() -> list[tuple[int, str]]:
    return [
        (0, _("Not at all: it has leaked")),
        (_HOUR_S, _("For an hour")),
        (GRACE_S_USUAL, _("For a day")),
        (GRACE_S_MAX, _("For a week")),
    ]
