"""Views: read models that combine aggregates or services, projected from the topics and rebuilt beside the
live one.

A view's rows live in a collection `view_<what>_<generation>`, and how far it has read lies beside them, per
topic and partition, moved in the transaction that writes the rows: a record counts once, whoever reads it.
The pointer in `views` names the generation that is read. A rebuild fills the next generation from the first
record on while the live one goes on; when it has caught up, the pointer moves and readers see the new rows
at their next query. Who is in the middle of reading goes on with the old ones, which are dropped by the next
rebuild. A crash in between leaves a generation half filled, which the next rebuild goes on with.

Rows must not depend on the order of records of different aggregates, since partitions are read side by side,
and a projection must be able to see an event again at a later offset, since the relay may repeat one: it
compares versions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReplaceOne

from shared.contracts.envelope import Event
from shared.errors import Conflict
from shared.messaging.subscription import Received
from shared.storage.documents import Collection, Index, create_indexes
from shared.storage.mongo import Mongo

VIEWS = "views"
POSITIONS = "view_positions"


class Rows:
    """The rows of one batch as the view will leave them: read together, written together."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._changed: set[str] = set()

    async def load(self, mongo: Mongo, collection: str, ids: Sequence[str]) -> None:
        async for row in mongo[collection].find({"_id": {"$in": list(ids)}}):
            self._rows[row["_id"]] = row

    def get(self, id: str) -> dict[str, Any]:
        """The row, or an empty one that is written only once something is put into it."""
        return self._rows.get(id, {"_id": id})

    def put(self, row: dict[str, Any]) -> None:
        self._rows[row["_id"]] = row
        self._changed.add(row["_id"])

    @property
    def changed(self) -> list[dict[str, Any]]:
        return [self._rows[id] for id in self._changed]


Project = Callable[[Any, Received, Rows], None]


@dataclass(frozen=True, kw_only=True)
class View:
    """`row_of` names the row an event touches, so that a batch reads its rows at once; None: none."""

    name: str
    topics: tuple[str, ...]
    project: Mapping[type[Event], Project]
    row_of: Callable[[Any], str | None]
    indexes: tuple[Index, ...] = ()

    def collection(self, generation: int) -> str:
        return f"view_{self.name}_{generation}"


@dataclass(frozen=True, kw_only=True)
class Live:
    """What the pointer says: the generation to read, and the time up to which it has read everything."""

    generation: int
    as_of: datetime | None


async def live(mongo: Mongo, view: View) -> Live:
    document = await mongo[VIEWS].find_one({"_id": view.name}) or {"generation": 1, "as_of": None}
    return Live(generation=document["generation"], as_of=document["as_of"])


async def prepare(mongo: Mongo, view: View, generation: int) -> None:
    await create_indexes(mongo, [Collection(name=view.collection(generation), indexes=view.indexes)])


async def positions(mongo: Mongo, view: View, generation: int) -> dict[tuple[str, int], int]:
    """The next offset to read, per topic and partition."""
    cursor = mongo[POSITIONS].find({"view": view.name, "generation": generation})
    return {(document["topic"], document["partition"]): document["next"] async for document in cursor}


@dataclass(frozen=True)
class Fact:
    """A record and the event in it; None: unreadable, or of a type this view does not read."""

    received: Received | None
    event: Event | None


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Consecutive records of one partition: from the offset that is due to the one that is due after them."""

    topic: str
    partition: int
    due: int
    next: int
    facts: Sequence[Fact]


async def apply(mongo: Mongo, view: View, generation: int, stretch: Stretch) -> None:
    """A stretch in one transaction. Conflict: somebody else has applied some of it."""
    facts = stretch.facts
    touched = {row for fact in facts if fact.event is not None and (row := view.row_of(fact.event))}
    rows = Rows()
    await rows.load(mongo, view.collection(generation), sorted(touched))
    for fact in facts:
        if fact.event is not None and fact.received is not None:
            view.project[type(fact.event)](fact.event, fact.received, rows)
    replacements = [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows.changed]
    due = {"_id": _position_id(view, generation, stretch.topic, stretch.partition), "next": stretch.due}
    async with mongo.transaction() as session:
        moved = await mongo[POSITIONS].update_one(due, {"$set": {"next": stretch.next}}, session=session)
        if moved.matched_count != 1:
            raise Conflict("view_moved", "Another process has applied these records", view=view.name)
        if replacements:
            rows_of = mongo[view.collection(generation)]
            await rows_of.bulk_write(replacements, ordered=False, session=session)


def _position_id(view: View, generation: int, topic: str, partition: int) -> str:
    return f"{view.name}|{generation}|{topic}|{partition}"


async def begin_partition(mongo: Mongo, view: View, generation: int, topic: str, partition: int) -> None:
    """A position at the first record, unless there is one."""
    await mongo[POSITIONS].update_one(
        {"_id": _position_id(view, generation, topic, partition)},
        {
            "$setOnInsert": {
                "view": view.name,
                "generation": generation,
                "topic": topic,
                "partition": partition,
                "next": 0,
            }
        },
        upsert=True,
    )


async def read_up_to(mongo: Mongo, view: View, generation: int, at: datetime) -> None:
    """The live generation has seen everything there was at that moment."""
    await mongo[VIEWS].update_one({"_id": view.name, "generation": generation}, {"$max": {"as_of": at}})


async def point_at(mongo: Mongo, view: View, generation: int, at: datetime) -> None:
    """Readers see this generation from now on."""
    await mongo[VIEWS].update_one(
        {"_id": view.name}, {"$set": {"generation": generation, "as_of": at}}, upsert=True
    )


async def drop(mongo: Mongo, view: View, generation: int) -> None:
    await mongo[view.collection(generation)].drop()
    await mongo[POSITIONS].delete_many({"view": view.name, "generation": generation})


async def hold(mongo: Mongo, view: View, owner: str, lease_ms: int) -> bool:
    """One process follows the live generation at a time. Positions would keep two apart; this spares the
    work.
    """
    await mongo[VIEWS].update_one(
        {"_id": view.name}, {"$setOnInsert": {"generation": 1, "as_of": None, "owner": owner}}, upsert=True
    )
    mine_or_free = {"$or": [{"owner": owner}, {"$expr": {"$lt": [{"$ifNull": ["$until", 0]}, "$$NOW"]}}]}
    held = await mongo[VIEWS].update_one(
        {"_id": view.name, **mine_or_free},
        [{"$set": {"owner": owner, "until": {"$add": ["$$NOW", lease_ms]}}}],
    )
    return bool(held.matched_count == 1)
