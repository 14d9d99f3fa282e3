"""How changes become bulk writes, and how the ones that cannot be written are found.

Within a collection everything that must find its document goes in one bulk write, whose counts are checked;
what may find nothing goes in a second, and whole documents in a third. Inserts and upserts are guarded by
unique indexes, edits and removals by the counts.
"""

from collections import defaultdict
from enum import Enum
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError

from shared.errors import Conflict, Refusal
from shared.storage.change import EVENTS, Change, Operation
from shared.storage.mongo import Mongo

DUPLICATE_KEY = 11000


class Refused(Exception):
    """The server would not have it. `owner`: the change whose operation it named, where it named one."""

    def __init__(self, owner: int | None, error: dict[str, Any] | None = None) -> None:
        super().__init__(str(error))
        self.owner = owner
        self.error = error


def changed_meanwhile() -> Conflict:
    return Conflict("changed_meanwhile", "It was changed by someone else meanwhile")


class _Bulk:
    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.owners: list[int] = []

    def add(self, operation: Operation, owner: int) -> None:
        self.operations.append(operation)
        self.owners.append(owner)


async def write_all(mongo: Mongo, changes: list[Change], session: Any) -> None:
    """Every write of the changes, in the session's transaction; Refused where a condition does not hold."""
    for (collection, phase), bulk in _bulks(changes).items():
        try:
            result = await mongo[collection].bulk_write(bulk.operations, ordered=True, session=session)
        except BulkWriteError as error:
            raise _refused(error, bulk) from error
        if phase is not _Phase.IF_THERE and not _all_found(bulk.operations, result):
            raise Refused(None)


class _Phase(Enum):
    """The order within a collection: a document that is removed and put in one change is there afterwards."""

    CHECKED = 1
    IF_THERE = 2
    PUT = 3
    EVENTS = 4


def _bulks(changes: list[Change]) -> dict[tuple[str, _Phase], _Bulk]:
    """Phase by phase, the events last: a group that fails should fail before its largest write."""
    bulks: dict[tuple[str, _Phase], _Bulk] = defaultdict(_Bulk)
    for owner, change in enumerate(changes):
        for aggregate in change.aggregates.values():
            _give_predecessors(aggregate.loaded_prev, aggregate.events)
            bulks[aggregate.collection, _Phase.CHECKED].add(aggregate.operation(), owner)
        for write in change.writes:
            phase = _Phase.CHECKED if write.checked else _Phase.IF_THERE
            bulks[write.collection, phase].add(write.operation, owner)
        for (collection, id), document in change.puts.items():
            bulks[collection, _Phase.PUT].add(ReplaceOne({"_id": id}, document, upsert=True), owner)
        for event in change.events:
            bulks[EVENTS, _Phase.EVENTS].add(InsertOne(event.document()), owner)
    return dict(sorted(bulks.items(), key=lambda item: item[0][1].value))


def _give_predecessors(loaded_prev: Any, events: list[Any]) -> None:
    previous = loaded_prev
    for event in events:
        event.prev, previous = previous, event.place


def _all_found(operations: list[Operation], result: Any) -> bool:
    deletions = sum(isinstance(operation, DeleteOne) for operation in operations)
    insertions = sum(isinstance(operation, InsertOne) for operation in operations)
    edits = len(operations) - deletions - insertions
    found = result.matched_count + result.upserted_count
    return bool(found == edits and result.deleted_count == deletions)


def _refused(error: BulkWriteError, bulk: _Bulk) -> Exception:
    named = error.details.get("writeErrors") or []
    if not named:
        return error
    return Refused(bulk.owners[named[0]["index"]], named[0])


async def changes_that_fail(
    mongo: Mongo, changes: list[Change], refused: Refused
) -> dict[int, BaseException]:
    """Which of these changes cannot be written as things stand, and what each is to be told."""
    failing = await _passed_by(mongo, changes)
    if refused.owner is not None and refused.error is not None:
        failing.setdefault(refused.owner, _answer(changes[refused.owner], refused.error))
        if refused.error.get("code") == DUPLICATE_KEY:
            failing = {**await _duplicates(mongo, changes, refused.error), **failing}
    return failing


async def _passed_by(mongo: Mongo, changes: list[Change]) -> dict[int, BaseException]:
    """The changes with a condition that no longer holds: one read a collection."""
    conditions: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for owner, change in enumerate(changes):
        for aggregate in change.aggregates.values():
            if aggregate.loaded_version:
                conditions[aggregate.collection].append((owner, aggregate.condition))
        for write in change.writes:
            if write.condition is not None:
                conditions[write.collection].append((owner, write.condition))
    failing: dict[int, BaseException] = {}
    for collection, wanted in conditions.items():
        query = {"$or": [condition for _, condition in wanted]}
        found = {document["_id"] async for document in mongo.newest(collection).find(query, {"_id": 1})}
        for owner, condition in wanted:
            if condition["_id"] not in found:
                failing[owner] = changed_meanwhile()
    return failing


async def _duplicates(mongo: Mongo, changes: list[Change], error: dict[str, Any]) -> dict[int, BaseException]:
    """All changes that the same unique index would refuse, not only the first one that the server named."""
    fields = tuple(error.get("keyPattern", {}))
    index = _index_name(error)
    inserted = [
        (owner, collection, document)
        for owner, change in enumerate(changes)
        for collection, document in _inserted(change)
        if all(field in document for field in fields)
    ]
    failing: dict[int, BaseException] = {}
    seen: set[tuple[str, tuple[Any, ...]]] = set()
    for collection in {collection for _, collection, _ in inserted}:
        queries = [{f: d[f] for f in fields} for _, c, d in inserted if c == collection]
        projection = dict.fromkeys(fields, 1)
        async for document in mongo.newest(collection).find({"$or": queries}, projection):
            seen.add((collection, tuple(document[field] for field in fields)))
    for owner, collection, document in inserted:
        key = (collection, tuple(document[field] for field in fields))
        if key in seen:
            failing[owner] = _answer(changes[owner], {**error, "index_name": index})
        seen.add(key)
    return failing


def _inserted(change: Change) -> list[tuple[str, dict[str, Any]]]:
    documents = [
        (aggregate.collection, {"_id": aggregate.id, **aggregate.document})
        for aggregate in change.aggregates.values()
        if not aggregate.loaded_version
    ]
    for write in change.writes:
        if isinstance(write.operation, InsertOne):
            documents.append((write.collection, write.operation._doc))
    return documents


def _answer(change: Change, error: dict[str, Any]) -> BaseException:
    """The refusal the change itself names for that index; a taken id is a conflict; the rest is a bug and
    says so.
    """
    if error.get("code") != DUPLICATE_KEY:
        return RuntimeError(f"the database refused a write: {error.get('errmsg', error)}")
    refusal: Refusal | None = change.refusals.get(_index_name(error))
    if refusal is not None:
        return refusal
    return changed_meanwhile()


def _index_name(error: dict[str, Any]) -> str:
    if "index_name" in error:
        return str(error["index_name"])
    _, _, tail = str(error.get("errmsg", "")).partition(" index: ")
    return tail.split(" ", 1)[0]
