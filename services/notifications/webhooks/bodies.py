"""The bytes that are sent: kept once an event, and the last ones in memory, where most are sent from."""

from collections import OrderedDict
from datetime import timedelta

from bson.binary import Binary

from services.notifications.webhooks.documents import BODIES, BODIES_KEPT_DAYS
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit

REMEMBERED_BYTES_MAX = 16 * 1024 * 1024


class Bodies:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._remembered: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def keep(self, unit: Unit, event_id: str, body: bytes) -> None:
        purge_at = unit.context.recorded_at + timedelta(days=BODIES_KEPT_DAYS)
        unit.put(BODIES, {"_id": event_id, "body": Binary(body), "purge_at": purge_at})
        self._remember(event_id, body)

    async def find(self, event_id: str) -> bytes | None:
        known = self._remembered.get(event_id)
        if known is not None:
            return known
        document = await self._mongo[BODIES].find_one({"_id": event_id})
        if document is None:
            return None
        body: bytes = document["body"]
        self._remember(event_id, body)
        return body

    def _remember(self, event_id: str, body: bytes) -> None:
        if event_id not in self._remembered:
            self._remembered[event_id] = body
            self._size += len(body)
        while self._size > REMEMBERED_BYTES_MAX:
            _, forgotten = self._remembered.popitem(last=False)
            self._size -= len(forgotten)
