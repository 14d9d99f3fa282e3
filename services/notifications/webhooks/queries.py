"""Reading endpoints with their addresses, and the bytes that were sent."""

from dataclasses import dataclass

from services.notifications.deliveries.handlers import sees_all
from services.notifications.webhooks.documents import ADDRESSES, BODIES, Address, address_of, endpoints
from services.notifications.webhooks.handlers import MANAGE
from shared.context import Actor
from shared.errors import NotFound
from shared.storage.mongo import Mongo

# An owner has twenty; whoever manages all looks through the newest.
LISTED_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Known:
    """An endpoint as its page shows it."""

    address: Address
    version: int
    rotations: int


async def endpoints_of(mongo: Mongo, actor: Actor) -> list[Address]:
    """Mine; everybody's for whoever manages all. The newest first."""
    query = {} if sees_all(actor, MANAGE) else {"owner_id": actor.id}
    found = mongo[ADDRESSES].find(query).sort("_id", -1).limit(LISTED_MAX)
    return [address_of(document) for document in await found.to_list(length=LISTED_MAX)]


async def endpoint_known(mongo: Mongo, endpoint_id: str, actor: Actor) -> Known:
    document = await mongo[ADDRESSES].find_one({"_id": endpoint_id})
    if document is None or not (document["owner_id"] == actor.id or sees_all(actor, MANAGE)):
        raise NotFound("endpoint_not_found", "There is no such endpoint", id=endpoint_id[:64])
    kept = await mongo[endpoints.collection].find_one({"_id": endpoint_id})
    assert kept is not None, "an endpoint and its address are written together"
    return Known(address=address_of(document), version=kept["version"], rotations=kept["state"]["rotations"])


async def body_of(mongo: Mongo, event_id: str) -> bytes | None:
    document = await mongo[BODIES].find_one({"_id": event_id})
    return None if document is None else bytes(document["body"])
