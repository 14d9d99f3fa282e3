"""Writer logs: who may write events under which name, and how what a dead process left behind is taken over.

A process writes under a writer id, new at each start. `writers` holds, per writer, the epoch that fences it,
a lease by the server's clock, and `committed`: how many events its log has. Every transaction that writes
events moves `committed` under its epoch, so the numbers in a log are gapless in commit order and a raised
epoch makes any later commit of the old holder fail. `relays` holds how far each log has been sent; apart,
because in one document it would conflict with the commits.

Leases decide when somebody else may take a log over, never whether a write is right: that is the epoch alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson.binary import Binary

from shared.ids import made_at, new_id
from shared.storage.change import EVENTS, Place, SealedEvent, event_of
from shared.storage.mongo import Mongo

WRITERS = "writers"
RELAYS = "relays"
# Longer than a failover, or a healthy writer would be taken for dead while a primary is elected.
LEASE_MS = 30_000
ADOPTION_WAIT_MS = 8_000


class Fenced(Exception):
    """Another process has taken this log over: go on under a new writer id."""


@dataclass(frozen=True)
class Writer:
    """A log this process holds, and the epoch under which it holds it."""

    id: str
    epoch: int
    lease_ms: int = LEASE_MS


@dataclass(frozen=True)
class Adopted:
    writer: Writer
    committed: int


async def prepare(mongo: Mongo) -> None:
    await mongo[EVENTS].create_index([("stream", 1), ("version", 1)], unique=True, name="one_event_a_version")
    await mongo[EVENTS].create_index([("writer", 1), ("seq", 1)], unique=True, name="one_event_a_place")


async def open_log(mongo: Mongo, owner: str, lsid: dict[str, Any], lease_ms: int = LEASE_MS) -> Writer:
    """A new, empty log. Its position is made first: a log without one would look as if it had been cleaned
    away.
    """
    writer = Writer(new_id("wrt"), 1, lease_ms)
    await mongo[RELAYS].insert_one({"_id": writer.id, "relayed": 0})
    await mongo[WRITERS].update_one(
        {"_id": writer.id},
        [
            {
                "$set": {
                    "epoch": writer.epoch,
                    "owner": owner,
                    "lsid": {"id": Binary(bytes(lsid["id"]), 4)},
                    "committed": 0,
                    "until": _alive(lease_ms),
                    "drained": False,
                }
            }
        ],
        upsert=True,
    )
    return writer


async def advance(mongo: Mongo, writer: Writer, by: int, session: Any) -> int:
    """Inside a transaction: reserve the next `by` places and return the number before them. Fences.

    A log that was called drained takes nothing more either: nobody would look for it.
    """
    document = await mongo[WRITERS].find_one_and_update(
        {"_id": writer.id, "epoch": writer.epoch, "drained": False},
        [{"$set": {"committed": {"$add": ["$committed", by]}, "until": _alive(writer.lease_ms)}}],
        projection={"committed": 1},
        session=session,
    )
    if document is None:
        raise Fenced(writer.id)
    return int(document["committed"])


async def renew(mongo: Mongo, writer: Writer) -> None:
    found = await mongo[WRITERS].update_one(
        {"_id": writer.id, "epoch": writer.epoch}, [{"$set": {"until": _alive(writer.lease_ms)}}]
    )
    if found.matched_count != 1:
        raise Fenced(writer.id)


async def give_back(mongo: Mongo, writer: Writer, *, sent: int) -> None:
    """End the lease now, so that nobody waits for it to run out. Drained is only a log that was sent to its
    end; what else there is in it is for an adopter.
    """
    drained = {"$eq": ["$committed", sent]}
    await mongo[WRITERS].update_one(
        {"_id": writer.id, "epoch": writer.epoch},
        [{"$set": {"until": "$$NOW", "drained": drained, "ended": "$$NOW"}}],
    )


async def adopt_next(mongo: Mongo, owner: str, lease_ms: int = LEASE_MS) -> Adopted | None:
    """Take over one log whose lease ran out, if there is one.

    Its session is ended first: an open transaction would hold the document for as long as the server keeps
    the dead session. Raising the epoch and reading `committed` are one operation: read before the raise, it
    could miss a commit.
    """
    expired = {"drained": False, "$expr": {"$lt": ["$until", "$$NOW"]}}
    found = await mongo[WRITERS].find_one(expired)
    if found is None:
        return None
    await mongo.kill_session(found["lsid"])
    document = await mongo[WRITERS].find_one_and_update(
        {"_id": found["_id"], "epoch": found["epoch"], **expired},
        [{"$set": {"epoch": {"$add": ["$epoch", 1]}, "owner": owner, "until": _alive(lease_ms)}}],
        projection={"committed": 1},
        maxTimeMS=ADOPTION_WAIT_MS,
    )
    if document is None:
        return None
    return Adopted(Writer(found["_id"], found["epoch"] + 1, lease_ms), int(document["committed"]))


def renew_every_s(lease_ms: int) -> float:
    """Often enough that two renewals may fail."""
    return lease_ms / 4_000


def _alive(lease_ms: int) -> dict[str, Any]:
    return {"$add": ["$$NOW", lease_ms]}


async def read_log(mongo: Mongo, writer_id: str, after: int, up_to: int) -> list[SealedEvent]:
    """The events of a log in (after, up_to], in order. Majority: what a failover takes back must not have
    been sent.
    """
    cursor = (
        mongo[EVENTS]
        .find({"writer": writer_id, "seq": {"$gt": after, "$lte": up_to}})
        .sort("seq", 1)
        .batch_size(max(up_to - after, 1))
    )
    return [event_of(document) for document in await cursor.to_list(length=up_to - after)]


async def written_at(mongo: Mongo, place: Place) -> datetime | None:
    """When an event was made, by the machine's clock, which its id carries."""
    document = await mongo[EVENTS].find_one({"writer": place.writer, "seq": place.seq}, {"_id": 1})
    return None if document is None else made_at(document["_id"])


async def read_stream(mongo: Mongo, stream: str) -> list[SealedEvent]:
    cursor = mongo[EVENTS].find({"stream": stream}).sort("version", 1)
    return [event_of(document) async for document in cursor]


async def read_back(mongo: Mongo, stream: str, *, before: int | None, limit: int) -> list[SealedEvent]:
    """The latest first: those before that version, or the last ones."""
    wanted = {"stream": stream} if before is None else {"stream": stream, "version": {"$lt": before}}
    cursor = mongo[EVENTS].find(wanted).sort("version", -1).limit(limit)
    return [event_of(document) async for document in cursor]


async def position(mongo: Mongo, writer_id: str) -> int | None:
    """How far a log has been sent; None where the log has been cleaned away, which happens only once it is
    drained.
    """
    document = await mongo[RELAYS].find_one({"_id": writer_id})
    return None if document is None else int(document["relayed"])


async def move_position(mongo: Mongo, writer_id: str, to: int) -> None:
    """Only ever forward, and never made anew: a late one must not bring a cleaned position back."""
    await mongo[RELAYS].update_one({"_id": writer_id}, {"$max": {"relayed": to}})


async def remove_finished(mongo: Mongo, after_days: int = 30) -> int:
    """Forget logs that ended and were drained long ago. Their events stay."""
    limit = {"$subtract": ["$$NOW", after_days * 86_400_000]}
    finished = await (
        mongo[WRITERS]
        .find({"drained": True, "$expr": {"$lt": ["$ended", limit]}}, {"_id": 1})
        .to_list(length=1_000)
    )
    ids: Sequence[str] = [document["_id"] for document in finished]
    await mongo[WRITERS].delete_many({"_id": {"$in": ids}})
    await mongo[RELAYS].delete_many({"_id": {"$in": ids}})
    return len(ids)
