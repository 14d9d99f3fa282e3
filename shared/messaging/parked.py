"""Parked messages: what a consumer could not handle, with its bytes, its reason, and everything of the same
aggregate behind it.

A parked message holds back only its own aggregate. Those behind it are parked too, in order, so that a replay
sees what an undisturbed run would have seen. A message is parked in the transaction that would have held its
effect, and taken out in the one that holds its effect at last: it is never in both places and never in
neither.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.binary import Binary

from shared.errors import Invalid, NotFound
from shared.storage.change import Change
from shared.storage.documents import Collection, Index
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit

PARKED = "parked"
ERROR_CHARACTERS_MAX = 2_000

DOCUMENTS = Collection(
    name=PARKED,
    indexes=(
        Index(name="by_sequence", keys=(("consumer", 1), ("subject", 1), ("state", 1))),
        Index(name="by_state", keys=(("state", 1), ("at", 1))),
    ),
)


@dataclass(frozen=True, kw_only=True)
class RawRecord:
    """A record as Kafka gave it: nothing in it is trusted yet."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def place(self) -> str:
        return f"{self.topic}|{self.partition}|{self.offset}"

    @property
    def sequence(self) -> str:
        """What a message without a readable subject is held back under: its key, else itself alone."""
        try:
            key = (self.key or b"").decode()
        except UnicodeDecodeError:
            key = ""
        return key if 0 < len(key) <= 100 else f"?{self.place}"


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first parked message of a sequence."""

    id: str
    reason: str
    version: int


async def heads(mongo: Mongo, consumer: str, subjects: Iterable[str]) -> dict[str, Head]:
    """Which of these sequences are held back, and by what."""
    query = {"consumer": consumer, "subject": {"$in": list(subjects)}, "state": "parked"}
    found: dict[str, Head] = {}
    async for document in (
        mongo[PARKED]
        .find(query, {"subject": 1, "reason": 1, "version": 1})
        .sort([("version", 1), ("offset", 1)])
    ):
        head = Head(id=document["_id"], reason=document["reason"], version=document["version"])
        found.setdefault(document["subject"], head)
    return found


def park(
    unit: Unit,
    id: str,
    consumer: str,
    record: RawRecord,
    subject: str,
    *,
    version: int,
    reason: str,
    error: str,
    at: datetime,
) -> None:
    unit.put(
        PARKED,
        {
            "_id": id,
            "consumer": consumer,
            "subject": subject,
            "version": version,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": record.key and Binary(record.key),
            "headers": [[name, Binary(value)] for name, value in record.headers],
            "body": Binary(record.value),
            "reason": reason,
            "error": error[:ERROR_CHARACTERS_MAX],
            "at": at,
            "state": "parked",
            "behind": 0,
            "history": [],
        },
    )


def wait_behind(unit: Unit, head_id: str) -> None:
    """Rely on the head still being parked: if a replay has just taken it out, this batch decides anew."""
    unit.change.edit(PARKED, {"_id": head_id, "state": "parked"}, {"$inc": {"behind": 1}})


def record_of(document: dict[str, Any]) -> RawRecord:
    return RawRecord(
        topic=document["topic"],
        partition=document["partition"],
        offset=document["offset"],
        key=document["key"],
        value=bytes(document["body"]),
        headers=tuple((name, bytes(value)) for name, value in document["headers"]),
    )


async def first_of(mongo: Mongo, consumer: str, subject: str) -> dict[str, Any] | None:
    """The message of a sequence that is to be handled next."""
    query = {"consumer": consumer, "subject": subject, "state": "parked"}
    found: list[dict[str, Any]] = (
        await mongo[PARKED].find(query).sort([("version", 1), ("offset", 1)]).to_list(length=1)
    )
    return found[0] if found else None


def failed_again(change: Change, id: str, reason: str, error: str) -> None:
    """What kept a message from being handled when its turn had come, so that it is not waited for in vain."""
    edit = {"reason": reason, "error": error[:ERROR_CHARACTERS_MAX]}
    change.edit(PARKED, {"_id": id, "state": "parked"}, {"$set": edit})


async def waits_for(mongo: Mongo, consumer: str) -> bool:
    """Whether anything of this consumer is held back."""
    query = {"consumer": consumer, "state": "parked"}
    return await mongo[PARKED].find_one(query, {"_id": 1}) is not None


async def listed(mongo: Mongo, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        await mongo[PARKED].find({"state": "parked"}, {"body": 0}).sort("at", 1).to_list(length=limit)
    )
    return found


async def shown(mongo: Mongo, id: str) -> dict[str, Any]:
    document: dict[str, Any] | None = await mongo[PARKED].find_one({"_id": id})
    if document is None:
        raise NotFound("parked_message_not_found", "There is no such parked message")
    return document


def _entry(unit: Unit, what: str, why: str) -> dict[str, Any]:
    context = unit.context
    return {"what": what, "why": why, "who": context.actor.id, "at": context.recorded_at}


def take_out(unit: Unit, document: dict[str, Any], *, outcome: str, why: str) -> None:
    """End one message's wait in this unit's change: replayed, or discarded for a reason."""
    unit.change.edit(
        PARKED,
        {"_id": document["_id"], "state": "parked"},
        {"$set": {"state": outcome}, "$push": {"history": _entry(unit, outcome, why)}},
    )


def correct(unit: Unit, document: dict[str, Any], body: bytes, why: str) -> None:
    """Give a parked message another body. The one that came is kept beside it."""
    if not body:
        raise Invalid("parked_body_empty", "A corrected message must have a body")
    unit.change.edit(
        PARKED,
        {"_id": document["_id"], "state": "parked"},
        {
            "$set": {"body": Binary(body)},
            "$push": {"history": {**_entry(unit, "corrected", why), "former_body": document["body"]}},
        },
    )
