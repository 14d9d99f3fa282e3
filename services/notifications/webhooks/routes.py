"""Webhook endpoints over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from services.notifications.deliveries.domain.types import TYPES_MAX
from services.notifications.deliveries.handlers import sees_all
from services.notifications.webhooks import handlers
from services.notifications.webhooks.addresses import URL_CHARACTERS_MAX
from services.notifications.webhooks.commands import (
    DisableEndpoint,
    EnableEndpoint,
    NewSecret,
    RegisterEndpoint,
    RotateSecret,
)
from services.notifications.webhooks.documents import ADDRESSES
from services.notifications.webhooks.endpoint import GRACE_S_MAX, GRACE_S_USUAL, Endpoint
from services.notifications.webhooks.handlers import MANAGE, Premises
from shared.http.app import Answer, Body, Routes, Work
from shared.http.paging import Page, Paging, page_of

REASON_CHARACTERS_MAX = 500


class EndpointIn(Body):
    url: str = Field(max_length=URL_CHARACTERS_MAX)
    types: list[Annotated[str, Field(max_length=100)]] = Field(min_length=1, max_length=TYPES_MAX)


class RotationIn(Body):
    grace_s: int = Field(GRACE_S_USUAL, ge=0, le=GRACE_S_MAX)


class ReasonIn(Body):
    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX)


class SecretOut(Answer):
    """The secret is shown here and never again."""

    endpoint_id: str
    secret: str
    old_until: datetime | None


class EndpointOut(Answer):
    id: str
    owner_id: str
    url: str
    types: list[str]
    disabled_because: str | None


class SwitchOut(Answer):
    id: str
    disabled_because: str | None


def webhook_routes(premises: Premises) -> Routes:
    routes = Routes("notifications", room="webhooks")

    @routes.post("/endpoints", status=201, may=MANAGE)
    async def register_endpoint(body: EndpointIn, work: Work) -> SecretOut:
        """Have events sent to a URL of yours. What you may know decides which of them."""
        command = RegisterEndpoint(url=body.url, types=tuple(body.types))
        return _secret(await handlers.register_endpoint(command, work, premises))

    @routes.get("/endpoints", may=MANAGE)
    async def list_endpoints(paging: Paging, work: Work) -> Page[EndpointOut]:
        """Mine; everybody's for whoever manages all."""
        actor = work.context.actor
        query = {} if sees_all(actor, MANAGE) else {"owner_id": actor.id}
        return await page_of(work.mongo[ADDRESSES], query, paging=paging, make=_endpoint)

    @routes.post("/endpoints/{id}/rotations", status=201, may=MANAGE)
    async def rotate_secret(id: str, body: RotationIn, work: Work) -> SecretOut:
        """A new secret. The old one signs beside it for a while, or not at all where it has leaked."""
        command = RotateSecret(endpoint_id=id, grace_s=body.grace_s)
        return _secret(await handlers.rotate_secret(command, work, premises))

    @routes.post("/endpoints/{id}/disablings", status=201, may=MANAGE)
    async def disable_endpoint(id: str, body: ReasonIn, work: Work) -> SwitchOut:
        """Send nothing for now. What comes meanwhile is kept."""
        command = DisableEndpoint(endpoint_id=id, reason=body.reason)
        return _switch(await handlers.disable_endpoint(command, work))

    @routes.post("/endpoints/{id}/enablings", status=201, may=MANAGE)
    async def enable_endpoint(id: str, body: ReasonIn, work: Work) -> SwitchOut:
        """Send again, beginning with what was kept."""
        command = EnableEndpoint(endpoint_id=id, reason=body.reason)
        return _switch(await handlers.enable_endpoint(command, work))

    return routes


def _secret(made: NewSecret) -> SecretOut:
    return SecretOut(
        endpoint_id=made.endpoint_id, secret=made.secret.get_secret_value(), old_until=made.old_until
    )


def _switch(endpoint: Endpoint) -> SwitchOut:
    return SwitchOut(id=endpoint.id, disabled_because=endpoint.disabled_because)


def _endpoint(document: Mapping[str, Any]) -> EndpointOut:
    return EndpointOut(
        id=document["_id"],
        owner_id=document["owner_id"],
        url=document["url"],
        types=document["types"],
        disabled_because=document["disabled_because"],
    )
