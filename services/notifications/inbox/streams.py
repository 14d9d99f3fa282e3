"""New items as they come, to whoever has their inbox open: server-sent events that can be taken up again.

A stream holds no queue. It keeps the number of the last item that it sent and, when it is woken, reads what
came after from the database; so a slow reader costs a number, not memory. One who is more than 256 items
behind is told to read the list anew (`resync`) instead.

Who wakes it: the change that placed an item, in this process at once; items that another process placed are
found by looking at the counters of those who are connected, once a second.

`id` is the item's number in this inbox, so a reader that comes back with Last-Event-ID misses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import structlog
from pymongo.errors import PyMongoError

from services.notifications.inbox.documents import COUNTERS, INBOX, item_of
from services.notifications.inbox.domain import InboxItem
from shared.clock import Clock
from shared.storage.mongo import Mongo

HEARTBEAT_S = 15.0
RECONNECT_MS = 3_000
STREAMS_A_PERSON_MAX = 4
BEHIND_MAX = 256
LOOK_S = 1.0

log = structlog.get_logger()

Render = Callable[[InboxItem], bytes]


class _Stream:
    def __init__(self) -> None:
        self.woken = asyncio.Event()
        self.closed = False

    def close(self) -> None:
        self.closed = True
        self.woken.set()


class Streams:
    def __init__(self, mongo: Mongo, clock: Clock, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._mongo, self._clock, self._heartbeat_s = mongo, clock, heartbeat_s
        self._open: dict[str, list[_Stream]] = {}
        self._seen: dict[str, int] = {}
        self._stopping = asyncio.Event()

    def wake(self, person: str) -> None:
        for stream in self._open.get(person, ()):
            stream.woken.set()

    def count(self, person: str) -> int:
        return len(self._open.get(person, ()))

    async def events(
        self, person: str, *, after: int | None, expires_at: datetime | None, render: Render
    ) -> AsyncIterator[bytes]:
        """Ends when the token does, when a newer stream takes its place, or when the service stops."""
        stream = self._enter(person)
        try:
            yield b"retry: %d\n\n" % RECONNECT_MS
            latest = await self._latest(person)
            seq = latest if after is None else min(after, latest)
            while not stream.closed and self._left_s(expires_at) > 0:
                stream.woken.clear()
                items = await self._after(person, seq)
                if len(items) > BEHIND_MAX:
                    seq = await self._latest(person)
                    yield b"id: %d\nevent: resync\ndata: {}\n\n" % seq
                    continue
                for item in items:
                    yield b"id: %d\nevent: item\ndata: %b\n\n" % (item.seq, render(item))
                    seq = item.seq
                if not await self._woken(stream, self._left_s(expires_at)):
                    yield b":hb\n\n"
        except PyMongoError as error:  # The reader comes back with the last number it has.
            log.warning("inbox_stream_ends", error=type(error).__name__)
        finally:
            self._leave(person, stream)

    def _enter(self, person: str) -> _Stream:
        stream, streams = _Stream(), self._open.setdefault(person, [])
        streams.append(stream)
        for oldest in streams[:-STREAMS_A_PERSON_MAX]:
            oldest.close()
        if self._stopping.is_set():
            stream.close()
        return stream

    def _leave(self, person: str, stream: _Stream) -> None:
        streams = self._open[person]
        streams.remove(stream)
        if not streams:
            del self._open[person]
            self._seen.pop(person, None)

    def _left_s(self, expires_at: datetime | None) -> float:
        if expires_at is None:
            return self._heartbeat_s
        return (expires_at - self._clock.real()).total_seconds()

    async def _woken(self, stream: _Stream, left_s: float) -> bool:
        try:
            await asyncio.wait_for(stream.woken.wait(), max(min(self._heartbeat_s, left_s), 0.0))
        except TimeoutError:
            return False
        return True

    async def _latest(self, person: str) -> int:
        counter = await self._mongo[COUNTERS].find_one({"_id": person})
        return 0 if counter is None else int(counter["seq"])

    async def _after(self, person: str, seq: int) -> list[InboxItem]:
        query: dict[str, Any] = {"person": person, "seq": {"$gt": seq}}
        found = self._mongo[INBOX].find(query).sort("seq", 1).limit(BEHIND_MAX + 1)
        return [item_of(document) for document in await found.to_list(length=BEHIND_MAX + 1)]

    async def run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._look()
            except PyMongoError as error:
                log.warning("inbox_streams_wait", error=type(error).__name__)
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK_S)
            except TimeoutError:
                continue

    def stop(self) -> None:
        self._stopping.set()
        for streams in self._open.values():
            for stream in streams:
                stream.close()

    async def _look(self) -> None:
        if not self._open:
            return
        async for counter in self._mongo[COUNTERS].find({"_id": {"$in": list(self._open)}}):
            if self._seen.get(counter["_id"]) != counter["seq"]:
                self._seen[counter["_id"]] = counter["seq"]
                self.wake(counter["_id"])
