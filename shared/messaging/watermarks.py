"""Watermarks: per consumer and aggregate the last version seen. They are the only deduplication.

A watermark is moved by a write that expects the former one, in the transaction of the effects; whatever else
is decided because of a watermark relies on it by a write as well. So two processes that decide about one
aggregate at the same time meet there, and the later one decides anew.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.messaging.opening import Opened
from shared.storage.change import Change
from shared.storage.mongo import Mongo

WATERMARKS = "watermarks"
DIGEST_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The last version seen, and enough to know that very record again."""

    version: int = 0
    event: str = ""
    digest: bytes = b""

    @property
    def document(self) -> dict[str, Any]:
        return {"version": self.version, "event": self.event, "digest": self.digest}

    def is_repeated_by(self, one: Opened) -> bool:
        if one.version != self.version:
            return one.version < self.version
        return one.id == self.event and self.digest in (b"", _digest(one.record.value))


NOTHING = Seen()


def seen(one: Opened, *, corrected: bool = False) -> Seen:
    """What is known once this record was handled. One that was corrected may come again as it was."""
    digest = b"" if corrected else _digest(one.record.value)
    return Seen(version=one.version, event=one.id, digest=digest)


async def read(mongo: Mongo, consumer: str, subjects: Iterable[str]) -> dict[str, Seen]:
    ids = [_id(consumer, subject) for subject in subjects]
    return {
        document["_id"].removeprefix(_id(consumer, "")): Seen(
            version=document["version"], event=document["event"], digest=document.get("digest", b"")
        )
        async for document in mongo[WATERMARKS].find({"_id": {"$in": ids}})
    }


def move(change: Change, consumer: str, subject: str, before: Seen | None, now: Seen) -> None:
    """From where it was read to where it is now, which may be the same place: then it is only relied on."""
    id = _id(consumer, subject)
    if before is None:
        change.insert(WATERMARKS, {"_id": id, **now.document})
        return
    edit = {"$set": now.document} if now != before else {"$inc": {"relied_on": 1}}
    change.edit(WATERMARKS, {"_id": id, "version": before.version}, edit)


def _id(consumer: str, subject: str) -> str:
    return f"{consumer}|{subject}"


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:DIGEST_BYTES]
