"""What webhooks keeps: endpoints, where they are and what signs for them, and the bytes that are sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifications.webhooks.endpoint import Endpoint
from shared.errors import Refusal
from shared.storage.documents import Collection, Index
from shared.storage.repository import Repository, Unit

ADDRESSES = "endpoint_addresses"
BODIES = "webhook_bodies"
BOOK = "endpoint_book"
BODIES_KEPT_DAYS = 90

endpoints = Repository(
    Endpoint,
    collection="endpoints",
    noun="endpoint",
    prefix="whe",
    service="notifications",
    indexed=lambda endpoint: {"owner_id": endpoint.owner_id},
    indexes=(Index(name="by_owner", keys=(("owner_id", 1), ("_id", 1))),),
)

# {_id: whe_…, owner_id, url, types, disabled_because, secrets: [{sealed, until}], the newest secret first}
ADDRESSES_KEPT = Collection(
    name=ADDRESSES,
    indexes=(Index(name="one_endpoint_a_url", keys=(("owner_id", 1), ("url", 1)), unique=True),),
)
TAKEN = Refusal("endpoint_exists", "You have an endpoint with this URL already")
# {_id: event id, body, purge_at}: the bytes once an event, however many endpoints it goes to.
BODIES_KEPT = Collection(
    name=BODIES, indexes=(Index(name="purged", keys=(("purge_at", 1),), expire_after_s=0),)
)
# One document that moves whenever an endpoint does, so that whoever keeps them in memory knows by one read.
BOOK_KEPT = Collection(name=BOOK)
THE_BOOK = "endpoints"

COLLECTIONS = (ADDRESSES_KEPT, BODIES_KEPT, BOOK_KEPT)


@dataclass(frozen=True, kw_only=True)
class Sealed:
    sealed: str
    until: datetime | None


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where an endpoint is and what signs for it."""

    id: str
    owner_id: str
    url: str
    types: tuple[str, ...]
    disabled_because: str | None
    secrets: tuple[Sealed, ...]


def address_of(document: Mapping[str, Any]) -> Address:
    return Address(
        id=document["_id"],
        owner_id=document["owner_id"],
        url=document["url"],
        types=tuple(document["types"]),
        disabled_because=document["disabled_because"],
        secrets=tuple(Sealed(sealed=one["sealed"], until=one["until"]) for one in document["secrets"]),
    )


def keep_address(unit: Unit, endpoint: Endpoint, *, url: str, secrets: Iterable[Sealed]) -> None:
    """Beside the endpoint, in its change; and whoever remembers endpoints is told to look again."""
    unit.change.refusals["one_endpoint_a_url"] = TAKEN
    unit.put(
        ADDRESSES,
        {
            "_id": endpoint.id,
            "owner_id": endpoint.owner_id,
            "url": url,
            "types": list(endpoint.types),
            "disabled_because": endpoint.disabled_because,
            "secrets": [{"sealed": one.sealed, "until": one.until} for one in secrets],
        },
    )
    unit.change.edit(BOOK, {"_id": THE_BOOK}, {"$inc": {"version": 1}}, upsert=True)
