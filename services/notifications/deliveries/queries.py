"""Which deliveries somebody may look up."""

from typing import Any

from services.notifications.deliveries.domain.disclosure import STAFF
from services.notifications.deliveries.handlers import sees_all
from shared.context import Actor

READ = "delivery:read"


def seen_by(actor: Actor) -> dict[str, Any]:
    """Their own; staff see those about what is within their scope, or all."""
    if sees_all(actor, READ):
        return {}
    within = [
        f"{kind}:{value}" for grant in actor.grants if grant.role in STAFF for kind, value in grant.scope
    ]
    own: dict[str, Any] = {"owner": actor.id}
    return {"$or": [own, {"audience": {"$in": within}}]} if within else own
