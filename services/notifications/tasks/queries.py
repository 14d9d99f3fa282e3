"""Which tasks are mine: given to me, or to whoever holds a role that I hold, where my scope reaches."""

from typing import Any

from shared.context import Actor
from shared.contracts.vocabulary import Grant


def mine(actor: Actor) -> dict[str, Any]:
    by_role = [_of_grant(grant) for grant in actor.grants]
    return {"open": True, "$or": [{"person_id": actor.id}, *by_role]}


def _of_grant(grant: Grant) -> dict[str, Any]:
    """A grant without a scope holds everywhere; one with a scope, only where the task names a part of it."""
    of_role: dict[str, Any] = {"person_id": None, "role": str(grant.role)}
    if not grant.scope:
        return of_role
    return {**of_role, "scope": {"$in": [f"{kind}:{value}" for kind, value in grant.scope]}}
