"""What one decision wants written: aggregates with their events, and the documents that go with them.

A change is data. Nothing is written when it is made; the committer writes it whole or not at all, perhaps
together with the changes of others. Everything in it that must still be true at that moment is a condition
the write itself carries.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from bson.binary import Binary
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from shared.errors import Refusal

EVENTS = "events"

Operation = InsertOne[Any] | ReplaceOne[Any] | UpdateOne | DeleteOne


class Place(NamedTuple):
    """A position in a writer's log."""

    writer: str
    seq: int


@dataclass(kw_only=True)
class SealedEvent:
    """An event as bytes, with what the relay needs to send them without looking inside."""

    id: str
    stream: str
    version: int
    type: str
    topic: str
    body: bytes
    hash: bytes
    at: datetime
    trace: str | None
    prev: Place | None = None
    place: Place | None = None

    def document(self) -> dict[str, Any]:
        assert self.place is not None, "the committer gives an event its place before it is written"
        return {
            "_id": self.id,
            "stream": self.stream,
            "version": self.version,
            "writer": self.place.writer,
            "seq": self.place.seq,
            "prev": self.prev and {"writer": self.prev.writer, "seq": self.prev.seq},
            "topic": self.topic,
            "type": self.type,
            "body": Binary(self.body),
            "hash": Binary(self.hash),
            "at": self.at,
            "trace": self.trace,
        }


def event_of(document: Mapping[str, Any]) -> SealedEvent:
    prev = document["prev"]
    return SealedEvent(
        id=document["_id"],
        stream=document["stream"],
        version=document["version"],
        type=document["type"],
        topic=document["topic"],
        body=document["body"],
        hash=document["hash"],
        at=document["at"],
        trace=document["trace"],
        prev=Place(prev["writer"], prev["seq"]) if prev else None,
        place=Place(document["writer"], document["seq"]),
    )


@dataclass(kw_only=True)
class AggregateWrite:
    """One aggregate moved from the version it was loaded at to the version its new events give."""

    collection: str
    id: str
    loaded_version: int
    loaded_hash: bytes
    loaded_prev: Place | None
    events: list[SealedEvent]
    document: dict[str, Any]

    def operation(self) -> Operation:
        """To be asked for after the events have their places."""
        last = self.events[-1]
        assert last.place is not None
        document = {
            "_id": self.id,
            "version": last.version,
            "hash": Binary(last.hash),
            "prev": {"writer": last.place.writer, "seq": last.place.seq},
            **self.document,
        }
        if self.loaded_version == 0:
            return InsertOne(document)
        return ReplaceOne(self.condition, document)

    @property
    def condition(self) -> dict[str, Any]:
        """The hash beside the version: a version number that a failover took back may return with another
        content.
        """
        return {"_id": self.id, "version": self.loaded_version, "hash": Binary(self.loaded_hash)}


@dataclass(frozen=True, kw_only=True)
class Write:
    """Any other document of the change. `checked`: it must find what it looks for, or the change is a
    conflict.

    An insert is checked by its nature, and so is an upsert, whose condition a unique index guards.
    """

    collection: str
    operation: Operation
    checked: bool
    key: object
    condition: dict[str, Any] | None = None


@dataclass
class Change:
    aggregates: dict[tuple[str, str], AggregateWrite] = field(default_factory=dict)
    # Documents written whole: the last one a key counts, so a batch that touches one document often writes it
    # once.
    puts: dict[tuple[str, object], dict[str, Any]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    # What a caller is told when a unique index refuses, by the index's name.
    refusals: dict[str, Refusal] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.aggregates and not self.puts and not self.writes

    @property
    def events(self) -> Iterator[SealedEvent]:
        for aggregate in self.aggregates.values():
            yield from aggregate.events

    @property
    def keys(self) -> frozenset[object]:
        """What no other change of the same transaction may touch."""
        written = frozenset((write.collection, write.key) for write in self.writes)
        return frozenset(self.aggregates) | frozenset(self.puts) | written

    def insert(self, collection: str, document: dict[str, Any]) -> None:
        self.writes.append(
            Write(collection=collection, operation=InsertOne(document), checked=True, key=document["_id"])
        )

    def put(self, collection: str, document: dict[str, Any]) -> None:
        """Write this document whole, whether or not it was there."""
        self.puts[collection, document["_id"]] = document

    def edit(
        self, collection: str, condition: dict[str, Any], edit: dict[str, Any], *, upsert: bool = False
    ) -> None:
        """Edit the document that meets the condition; where none does, the change is a conflict."""
        self.writes.append(
            Write(
                collection=collection,
                operation=UpdateOne(condition, edit, upsert=upsert),
                checked=True,
                key=condition["_id"],
                condition=None if upsert else condition,
            )
        )

    def edit_if_there(self, collection: str, condition: dict[str, Any], edit: dict[str, Any]) -> None:
        operation = UpdateOne(condition, edit)
        self.writes.append(
            Write(collection=collection, operation=operation, checked=False, key=condition["_id"])
        )

    def remove(self, collection: str, condition: dict[str, Any]) -> None:
        """Remove the document that meets the condition; where none does, the change is a conflict."""
        self.writes.append(
            Write(
                collection=collection,
                operation=DeleteOne(condition),
                checked=True,
                key=condition["_id"],
                condition=condition,
            )
        )

    def remove_if_there(self, collection: str, id: object) -> None:
        self.writes.append(
            Write(collection=collection, operation=DeleteOne({"_id": id}), checked=False, key=id)
        )

    def require_version(self, collection: str, id: str, version: int) -> None:
        """Rely on another aggregate being at this version. A write: a snapshot's reads allow skew."""
        condition = {"_id": id, "version": version}
        self.edit(collection, condition, {"$inc": {"relied_on": 1}})
