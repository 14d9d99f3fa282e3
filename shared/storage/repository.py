"""Load, decide, save: how a handler reaches aggregates without knowing how they are kept.

A `Repository` says how one kind of aggregate is kept: its collection, its topic, which fields are indexed. A
`Unit` is one decision in the making: what was loaded, at which version, and the change that results. `save`
writes nothing; it seals the events, folds them into the new state and adds both to the unit's change. Whoever
made the unit (HTTP kit, consumer, timer) commits it whole and, on a conflict, throws it away and runs the
handler again on a fresh one.

So there is one place where retries happen, and a handler is a plain function of what it loaded.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, Self, TypeVar

from pydantic import TypeAdapter

from shared.context import Context
from shared.contracts import catalogue
from shared.contracts.envelope import (
    GENESIS,
    PAYLOAD_BYTES_MAX,
    Event,
    Provenance,
    chain,
    open_envelope,
    seal,
)
from shared.errors import Invalid, NotFound, Refusal, StaleVersion
from shared.ids import is_id, uuid7
from shared.storage.change import AggregateWrite, Change, Place, SealedEvent
from shared.storage.documents import Collection, Index
from shared.storage.event_log import read_stream
from shared.storage.mongo import Mongo
from shared.storage.timers import TIMERS, timer_id


class Aggregate(Protocol):
    """State that its events give. `begin` makes it of the first, `apply` of every later one; neither may
    refuse.
    """

    @property
    def id(self) -> str: ...

    @classmethod
    def begin(cls, event: Any) -> Self: ...

    def apply(self, event: Any) -> Self: ...


A = TypeVar("A", bound=Aggregate)


@dataclass
class _Loaded:
    aggregate: Any
    version: int
    hash: bytes
    prev: Place | None


class Unit:
    """One decision in the making."""

    def __init__(self, mongo: Mongo, context: Context) -> None:
        self.mongo = mongo
        self.context = context
        self.change = Change()
        # Called once the change is durable, by whoever committed it. Must not fail and must not wait.
        self.after_commit: list[Callable[[], None]] = []
        self._loaded: dict[tuple[str, str], _Loaded] = {}
        self._read: dict[tuple[str, object], dict[str, Any] | None] = {}
        self._if_match = context.if_match

    def version_of(self, id: str) -> int | None:
        """The version an aggregate of this unit will have once it is committed."""
        return next((loaded.version for (_, known), loaded in self._loaded.items() if known == id), None)

    async def get(self, collection: str, id: object) -> dict[str, Any] | None:
        """A plain document as this unit will leave it."""
        key = (collection, id)
        if key in self.change.puts:
            return self.change.puts[key]
        if key not in self._read:
            self._read[key] = await self.mongo[collection].find_one({"_id": id})
        return self._read[key]

    async def prefetch(self, collection: str, ids: Iterable[object]) -> None:
        """Read many documents at once that `get` will be asked for one by one."""
        missing = [id for id in dict.fromkeys(ids) if (collection, id) not in self._read]
        if not missing:
            return
        self._read.update(((collection, id), None) for id in missing)
        async for document in self.mongo[collection].find({"_id": {"$in": missing}}):
            self._read[collection, document["_id"]] = document

    def put(self, collection: str, document: dict[str, Any]) -> None:
        self.change.put(collection, document)

    def schedule(self, kind: str, subject: str, due_at: datetime, data: dict[str, Any] | None = None) -> None:
        """A timer of the change: it becomes a command whose effective time is `due_at`. A later one replaces
        it.
        """
        self.put(
            TIMERS,
            {
                "_id": timer_id(kind, subject),
                "kind": kind,
                "subject": subject,
                "due_at": _whole_milliseconds(due_at),
                "data": data or {},
                "mark": str(uuid7()),
                "claimed_until": None,
                "attempts": 0,
                "trace": self.context.traceparent,
                "correlation_id": self.context.correlation_id,
            },
        )

    def cancel(self, kind: str, subject: str) -> None:
        id = timer_id(kind, subject)
        self.change.puts.pop((TIMERS, id), None)
        self.change.remove_if_there(TIMERS, id)

    def check_if_match(self, version: int) -> None:
        """If-Match speaks of the command's subject, which is what a handler loads first."""
        expected, self._if_match = self._if_match, None
        if expected is not None and expected != version:
            raise StaleVersion(
                "version_passed", "It was changed since you read it", expected=expected, current=version
            )


def _whole_milliseconds(instant: datetime) -> datetime:
    """Up to what MongoDB keeps, never down: a deadline that fires before its instant decides "not yet" and is
    gone.
    """
    rest = instant.microsecond % 1_000
    return instant + timedelta(microseconds=1_000 - rest) if rest else instant


class Repository(Generic[A]):
    def __init__(
        self,
        kind: type[A],
        *,
        collection: str,
        noun: str,
        prefix: str,
        service: str,
        indexed: Callable[[A], dict[str, Any]] = lambda aggregate: {},
        indexes: Sequence[Index] = (),
    ) -> None:
        self.kind = kind
        self.noun = noun
        self.prefix = prefix
        self.topic = f"concord.{service}.v1"
        self.source = f"/concord/{service}"
        self.indexed = indexed
        self.documents = Collection(name=collection, indexes=tuple(indexes))
        self._adapter: TypeAdapter[A] = TypeAdapter(kind)
        self._refusals: dict[str, Refusal] = {i.name: i.refusal for i in indexes if i.refusal is not None}

    @property
    def collection(self) -> str:
        return self.documents.name

    async def load(self, unit: Unit, id: str) -> A:
        found = await self.find(unit, id)
        if found is None:
            raise NotFound(
                f"{self.noun}_not_found", f"There is no such {self.noun.replace('_', ' ')}", id=id[:64]
            )
        return found

    async def find(self, unit: Unit, id: str) -> A | None:
        key = (self.collection, id)
        if key in unit._loaded:
            return unit._loaded[key].aggregate  # type: ignore[no-any-return]
        document = await unit.mongo[self.collection].find_one({"_id": id}) if is_id(id, self.prefix) else None
        if document is None:
            return None
        unit.check_if_match(document["version"])
        return self._remember(unit, document)

    async def find_one(self, unit: Unit, condition: dict[str, Any]) -> A | None:
        """By indexed fields: the first that meets the condition."""
        document = await unit.mongo[self.collection].find_one(condition)
        if document is None:
            return None
        unit.check_if_match(document["version"])
        return self._remember(unit, document)

    def _remember(self, unit: Unit, document: dict[str, Any]) -> A:
        key = (self.collection, document["_id"])
        if key not in unit._loaded:
            prev = document["prev"]
            unit._loaded[key] = _Loaded(
                self.restore(document),
                document["version"],
                document["hash"],
                Place(prev["writer"], prev["seq"]),
            )
        return unit._loaded[key].aggregate  # type: ignore[no-any-return]

    def restore(self, document: dict[str, Any]) -> A:
        return self._adapter.validate_python(document["state"])

    def create(self, unit: Unit, id: str, events: Sequence[Event]) -> A:
        """A new aggregate; it must not be there yet, whoever else is making it."""
        assert (self.collection, id) not in unit._loaded
        return self._append(unit, _Loaded(None, 0, GENESIS, None), id, events)

    def save(self, unit: Unit, aggregate: A, events: Sequence[Event]) -> A:
        """Add the decided events to the unit and return the state they give. No events: nothing happened."""
        if not events:
            return aggregate
        return self._append(unit, unit._loaded[self.collection, aggregate.id], aggregate.id, events)

    def _append(self, unit: Unit, loaded: _Loaded, id: str, events: Sequence[Event]) -> A:
        key = (self.collection, id)
        unit._loaded[key] = loaded
        write = unit.change.aggregates.get(key)
        if write is None:
            write = unit.change.aggregates[key] = AggregateWrite(
                collection=self.collection,
                id=id,
                loaded_version=loaded.version,
                loaded_hash=loaded.hash,
                loaded_prev=loaded.prev,
                events=[],
                document={},
            )
        write.events.extend(self._seal(unit, loaded, id, event) for event in events)
        write.document = {"state": self.dump(loaded.aggregate), **self.indexed(loaded.aggregate)}
        unit.change.refusals.update(self._refusals)
        return loaded.aggregate  # type: ignore[no-any-return]

    def _seal(self, unit: Unit, loaded: _Loaded, id: str, event: Event) -> SealedEvent:
        catalogue.require(type(event))
        context, event_id = unit.context, str(uuid7())
        provenance = Provenance(
            actor=context.actor.id,
            time=context.now,
            recorded_at=context.recorded_at,
            correlation_id=context.correlation_id,
            causation_id=context.causation_id,
            on_behalf_of=context.on_behalf_of,
            traceparent=context.traceparent,
        )
        version = loaded.version + 1
        body = seal(
            event, id=event_id, source=self.source, subject=id, version=version, provenance=provenance
        )
        if len(body) > PAYLOAD_BYTES_MAX:
            raise Invalid(
                "event_too_large", "What this would record is too large", bytes_max=PAYLOAD_BYTES_MAX
            )
        loaded.hash = chain(loaded.hash, body)
        loaded.version = version
        loaded.aggregate = self.fold(loaded.aggregate, event)
        return SealedEvent(
            id=event_id,
            stream=id,
            version=version,
            type=event.type,
            topic=self.topic,
            body=body,
            hash=loaded.hash,
            at=context.now,
            trace=context.traceparent,
        )

    def fold(self, aggregate: A | None, event: Event) -> A:
        return self.kind.begin(event) if aggregate is None else aggregate.apply(event)

    def dump(self, aggregate: A) -> Any:
        return self._adapter.dump_python(aggregate, mode="json")

    async def replay(self, mongo: Mongo, id: str) -> tuple[Any, int, bytes]:
        """What the stream gives: state, version and hash. Equal to the stored document, or the record is not
        whole.
        """
        aggregate: A | None = None
        version, link = 0, GENESIS
        for event in await read_stream(mongo, id):
            link = chain(link, event.body)
            version += 1
            if event.version != version or event.hash != link:
                raise AssertionError(f"the chain of {id} breaks at version {event.version}")
            aggregate = self.fold(aggregate, catalogue.event_of(open_envelope(event.body)))
        return None if aggregate is None else self.dump(aggregate), version, link
