"""Sending a delivery again because its owner asks."""

from typing import Any
from uuid import uuid4

from services.notifications.deliveries.commands import ReplayDelivery
from services.notifications.deliveries.documents import DELIVERIES
from services.notifications.deliveries.domain.delivery import SETTLED, State
from services.notifications.deliveries.domain.disclosure import STAFF
from shared.context import Actor
from shared.contracts.notifications.delivery import Channel
from shared.contracts.vocabulary import may
from shared.errors import NotFound, Refusal
from shared.storage.repository import Unit


async def replay_delivery(command: ReplayDelivery, unit: Unit) -> str:
    """The same delivery once more, under the same id for its receiver: it goes in front of what waits in its
    lane, and its attempts begin anew.
    """
    document = await find_for(unit.context.actor, command.delivery_id, unit, permission="endpoint:manage")
    if document["channel"] != Channel.WEBHOOK:
        raise Refusal("only_webhooks_replayed", "A person is not told twice; only webhooks are replayed")
    if document["state"] not in SETTLED:
        raise Refusal("delivery_still_open", "It has not ended yet, so it goes out by itself")
    taken = await unit.mongo[DELIVERIES].find_one({"lane": document["lane"], "open": True}, {"_id": 1})
    replay_id = str(uuid4())
    now = unit.context.recorded_at
    edit: dict[str, Any] = {
        "state": State.WAITING.value if taken else State.PENDING.value,
        "reason": None,
        "attempts": 0,
        "queued_at": now,
        "replay_id": replay_id,
        "replays": document["replays"] + 1,
    }
    if not taken:
        edit |= {"open": True, "due": now, "lease": None}
    # The index over open lanes refuses where another has opened meanwhile; then this is decided anew.
    unit.change.edit(
        DELIVERIES,
        {"_id": document["_id"], "state": document["state"], "replays": document["replays"]},
        {"$set": edit, "$unset": {"purge_at": "", "settled_at": ""}},
    )
    return replay_id


async def find_for(actor: Actor, delivery_id: str, unit: Unit, *, permission: str) -> dict[str, Any]:
    """A delivery of the actor's own, or any for who may see them all. To others it is not there."""
    document: dict[str, Any] | None = await unit.mongo[DELIVERIES].find_one({"delivery_id": delivery_id})
    if document is None or not (document["owner"] == actor.id or sees_all(actor, permission)):
        raise NotFound("delivery_not_found", "There is no such delivery", id=delivery_id[:64])
    return document


def sees_all(actor: Actor, permission: str) -> bool:
    unscoped = (grant for grant in actor.grants if grant.role in STAFF and not grant.scope)
    return may(unscoped, permission)
