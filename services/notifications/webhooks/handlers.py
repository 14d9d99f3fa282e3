"""What happens when something is asked about an endpoint."""

from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from services.notifications.deliveries.handlers import sees_all
from services.notifications.webhooks.addresses import Gate, check_url
from services.notifications.webhooks.commands import (
    DisableEndpoint,
    EnableEndpoint,
    NewSecret,
    RegisterEndpoint,
    RotateSecret,
)
from services.notifications.webhooks.documents import (
    ADDRESSES,
    Address,
    Sealed,
    address_of,
    endpoints,
    keep_address,
)
from services.notifications.webhooks.endpoint import Endpoint
from services.notifications.webhooks.signing import SECRETS_MAX, SealingKeys, new_secret, seal
from shared.contracts.envelope import Event
from shared.errors import NotFound, Refusal
from shared.ids import new_id
from shared.storage.repository import Unit

ENDPOINTS_A_OWNER_MAX = 20
MANAGE = "endpoint:manage"


@dataclass(frozen=True, kw_only=True)
class Premises:
    """What this installation lets endpoints be: which addresses, sealed under which keys."""

    gate: Gate
    keys: SealingKeys


async def register_endpoint(command: RegisterEndpoint, unit: Unit, premises: Premises) -> NewSecret:
    url, owner_id, id = check_url(command.url, premises.gate).url, unit.context.actor.id, new_id("whe")
    if await unit.mongo[ADDRESSES].count_documents({"owner_id": owner_id}) >= ENDPOINTS_A_OWNER_MAX:
        raise Refusal(
            "too_many_endpoints", "You have as many endpoints as you may", max=ENDPOINTS_A_OWNER_MAX
        )
    endpoint = endpoints.create(unit, id, Endpoint.register(id, owner_id=owner_id, types=command.types))
    secret = new_secret()
    sealed = Sealed(sealed=seal(secret, premises.keys, owner=id), until=None)
    keep_address(unit, endpoint, url=url, secrets=[sealed])
    return NewSecret(endpoint_id=id, secret=SecretStr(secret), old_until=None)


async def rotate_secret(command: RotateSecret, unit: Unit, premises: Premises) -> NewSecret:
    endpoint, address = await _own(command.endpoint_id, unit)
    rotated = endpoints.save(unit, endpoint, endpoint.rotate(command.grace_s))
    secret, now = new_secret(), unit.context.recorded_at
    until = now + timedelta(seconds=command.grace_s)
    old = [
        Sealed(sealed=one.sealed, until=min(one.until or until, until))
        for one in address.secrets
        if command.grace_s and (one.until is None or one.until > now)
    ]
    fresh = Sealed(sealed=seal(secret, premises.keys, owner=endpoint.id), until=None)
    keep_address(unit, rotated, url=address.url, secrets=[fresh, *old][:SECRETS_MAX])
    return NewSecret(endpoint_id=endpoint.id, secret=SecretStr(secret), old_until=until if old else None)


async def disable_endpoint(command: DisableEndpoint, unit: Unit) -> Endpoint:
    endpoint, address = await _own(command.endpoint_id, unit)
    return _save(unit, endpoint, address, endpoint.disable(command.reason))


async def enable_endpoint(command: EnableEndpoint, unit: Unit) -> Endpoint:
    endpoint, address = await _own(command.endpoint_id, unit)
    return _save(unit, endpoint, address, endpoint.enable(command.reason))


async def disable_gone_endpoint(endpoint_id: str, reason: str, unit: Unit) -> Endpoint:
    """Its receiver said so; nobody had to be asked."""
    endpoint, address = await endpoints.load(unit, endpoint_id), await _address(endpoint_id, unit)
    return _save(unit, endpoint, address, endpoint.disable(reason))


def _save(unit: Unit, endpoint: Endpoint, address: Address, events: list[Event]) -> Endpoint:
    saved = endpoints.save(unit, endpoint, events)
    if events:
        keep_address(unit, saved, url=address.url, secrets=address.secrets)
    return saved


async def _own(endpoint_id: str, unit: Unit) -> tuple[Endpoint, Address]:
    """The owner's, or anybody's for whoever manages all. To others it is not there."""
    endpoint, actor = await endpoints.load(unit, endpoint_id), unit.context.actor
    if endpoint.owner_id != actor.id and not sees_all(actor, MANAGE):
        raise NotFound("endpoint_not_found", "There is no such endpoint", id=endpoint_id[:64])
    return endpoint, await _address(endpoint_id, unit)


async def _address(endpoint_id: str, unit: Unit) -> Address:
    document = await unit.get(ADDRESSES, endpoint_id)
    assert document is not None, "an endpoint and its address are written together"
    return address_of(document)
