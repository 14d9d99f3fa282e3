"""Which tasks are mine: given to me, or to whoever holds a role that I hold, where my scope reaches. And
which are others' that I wait for: those I caused, and those about what I have a part in, as far as I may
know.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from services.notifications.deliveries.documents import SUBJECTS
from services.notifications.deliveries.domain.disclosure import Reader, may_know
from services.notifications.tasks.documents import TASKS
from services.notifications.tasks.domain import Task, task_of
from shared.context import Actor
from shared.contracts.vocabulary import Grant, Visibility
from shared.storage.mongo import Mongo

COUNTED_MAX = 1_000
DONE_LOOKED_AT_MAX = 100
PART_IN_MAX = 300
WAITING_MAX = 50


def mine(actor: Actor) -> dict[str, Any]:
    by_role = [_of_grant(grant) for grant in actor.grants]
    return {"open": True, "$or": [{"person_id": actor.id}, *by_role]}


async def how_many_are_mine(mongo: Mongo, actor: Actor) -> int:
    """Exact as far as anybody reads numbers."""
    return int(await mongo[TASKS].count_documents(mine(actor), limit=COUNTED_MAX))


async def waiting_on_others(mongo: Mongo, actor: Actor) -> list[Task]:
    """Soonest first, and one more than are shown where there are more. A task says for itself who may know of
    it, as the event did that assigned it.
    """
    abouts = await _has_a_part_in(mongo, actor)
    query = {
        "open": True,
        "$or": [{"caused_by": actor.id}, {"about": {"$in": abouts}}],
        "$nor": [{"$or": mine(actor)["$or"]}],
    }
    found = (
        await mongo[TASKS]
        .find(query)
        .sort("soonest", 1)
        .limit(WAITING_MAX + 1)
        .to_list(length=WAITING_MAX + 1)
    )
    reader = Reader(id=actor.id, grants=actor.grants)
    return [
        task_of(one)
        for one in found
        if "visibility" in one and may_know(Visibility(one["visibility"]), one["audience"], reader)
    ]


async def names_of_partners(mongo: Mongo, tasks: Iterable[Task]) -> dict[str, str]:
    """Of those whose users must do something."""
    ids = sorted({task.partner_id for task in tasks if task.partner_id is not None})
    if not ids:
        return {}
    found = await mongo[SUBJECTS].find({"_id": {"$in": ids}}, {"label": 1}).to_list(length=len(ids))
    return {document["_id"]: document["label"] for document in found}


async def open_until(mongo: Mongo, until: Any, limit: int) -> list[Task]:
    """Everybody's tasks that fall due by then, for whoever runs the house."""
    found = mongo[TASKS].find({"open": True, "soonest": {"$lte": until}}).sort([("soonest", 1), ("_id", 1)])
    return [task_of(one) for one in await found.limit(limit).to_list(length=limit)]


async def _has_a_part_in(mongo: Mongo, actor: Actor) -> Sequence[str]:
    """What my open tasks are about, and those that I did last."""
    about = {"about": 1, "_id": 0}
    open_ones = mongo[TASKS].find(mine(actor), about).sort("soonest", 1).limit(PART_IN_MAX)
    done = mongo[TASKS].find({"done_by": actor.id}, about).sort("done_at", -1).limit(DONE_LOOKED_AT_MAX)
    found = [*await open_ones.to_list(length=PART_IN_MAX), *await done.to_list(length=DONE_LOOKED_AT_MAX)]
    return sorted({one["about"] for one in found})


def _of_grant(grant: Grant) -> dict[str, Any]:
    """A grant without a scope holds everywhere; one with a scope, only where the task names a part of it."""
    of_role: dict[str, Any] = {"person_id": None, "role": str(grant.role)}
    if not grant.scope:
        return of_role
    return {**of_role, "scope": {"$in": [f"{kind}:{value}" for kind, value in grant.scope]}}
