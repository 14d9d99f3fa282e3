"""What happened to something, as its stream in the event log tells it: the latest first, with the evidence.

Each entry says whether its hash follows from the one before it, which is worked out anew for each reading:
a body or a hash that was changed in the database shows here. What the reader may not know is left out; that
something is there is said, and the chain is followed through it all the same.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.context import Actor
from shared.contracts import catalogue
from shared.contracts.disclosure import Reader, may_know
from shared.contracts.envelope import GENESIS, Envelope, Event, chain, open_envelope
from shared.storage.change import SealedEvent
from shared.storage.event_log import read_back
from shared.storage.mongo import Mongo

ENTRIES_MAX = 50


@dataclass(frozen=True, kw_only=True)
class Happened:
    """`version`: its number in the stream. `is_whole`: its hash follows from the one before."""

    version: int
    event: Event
    envelope: Envelope
    body: str
    hash: str
    hash_before: str
    is_whole: bool

    @property
    def at(self) -> datetime:
        return self.envelope.time


@dataclass(frozen=True, kw_only=True)
class History:
    """`before`: the version from which to read on, where there is more."""

    entries: tuple[Happened, ...]
    hidden: int
    before: int | None


async def history(
    mongo: Mongo,
    stream: str,
    reader: Actor,
    *,
    before: int | None = None,
    limit: int = ENTRIES_MAX,
    also: tuple[str, ...] = (),
) -> History:
    """`also`: audiences that an event of this stream has besides those it names, such as `country:KEN`."""
    found = await read_back(mongo, stream, before=before, limit=limit + 1)
    shown, earlier = found[:limit], found[limit:]
    links = [*(event.hash for event in found), GENESIS][1 : len(shown) + 1]
    read = [_happened(event, hash_before) for event, hash_before in zip(shown, links, strict=True)]
    who = Reader(id=reader.id, grants=reader.grants)
    entries = tuple(
        one for one in read if may_know(one.envelope.visibility, (*one.envelope.audiences, *also), who)
    )
    hidden = len(read) - len(entries)
    return History(entries=entries, hidden=hidden, before=shown[-1].version if earlier else None)


def _happened(sealed: SealedEvent, hash_before: bytes) -> Happened:
    envelope = open_envelope(sealed.body)
    return Happened(
        version=sealed.version,
        event=catalogue.event_of(envelope),
        envelope=envelope,
        body=sealed.body.decode(),
        hash=sealed.hash.hex(),
        hash_before=hash_before.hex(),
        is_whole=sealed.hash == chain(hash_before, sealed.body),
    )
