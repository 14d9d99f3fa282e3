"""The endpoints in memory, for matching every event and for sending.

The book is read again when the one document that moves with every endpoint has moved. Whoever fans a batch of
events out looks at it first, so an event that is heard after an endpoint was registered is never matched
against a book without it. Senders look once a second.
"""

import asyncio
from collections.abc import Sequence

import structlog
from pymongo.errors import PyMongoError

from services.notifications.deliveries.domain.types import TypeFilter
from services.notifications.webhooks.documents import ADDRESSES, BOOK, THE_BOOK, Address, address_of
from shared.storage.mongo import Mongo

NEVER_READ = -1
LOOK_S = 1.0

log = structlog.get_logger()


class Book:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._version = NEVER_READ
        self._entries: dict[str, tuple[Address, TypeFilter]] = {}
        self._by_type: dict[str, Sequence[Address]] = {}
        self._stopping = asyncio.Event()
        self._known = asyncio.Event()

    async def look(self) -> None:
        """Read it again if it has moved. The number first: what moves in between is then read twice."""
        document = await self._mongo[BOOK].find_one({"_id": THE_BOOK})
        version = 0 if document is None else int(document["version"])
        if version == self._version:
            return
        found = [address_of(one) async for one in self._mongo[ADDRESSES].find({})]
        self._entries = {one.id: (one, TypeFilter(one.types)) for one in found}
        self._by_type = {}
        self._version = version
        self._known.set()

    def find(self, endpoint_id: str) -> Address | None:
        entry = self._entries.get(endpoint_id)
        return None if entry is None else entry[0]

    def wanting(self, type: str) -> Sequence[Address]:
        """The endpoints that asked for events of the type, disabled ones too: for them it is kept."""
        known = self._by_type.get(type)
        if known is None:
            wanting = (address for address, wanted in self._entries.values() if wanted.takes(type))
            known = self._by_type[type] = sorted(wanting, key=lambda address: address.id)
        return known

    async def follow(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.look()
            except PyMongoError as error:
                log.warning("endpoint_book_waits", error=type(error).__name__)
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK_S)
            except TimeoutError:
                continue

    async def known(self) -> None:
        """Until it was read once: to a sender that knows no endpoint every one looks disabled."""
        await self._known.wait()

    def stop(self) -> None:
        self._stopping.set()
        self._known.set()
