"""Reading on from a place: what is there, what of it this reader may know, and how much is left."""

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.notifications.deliveries.domain.disclosure import Reader, may_know
from services.notifications.deliveries.domain.types import TypeFilter
from services.notifications.deliveries.readers import Readers
from services.notifications.feed.arrivals import Arrivals
from services.notifications.feed.documents import FEED, MARKS, place_id
from services.notifications.feed.domain import Place
from shared.contracts.vocabulary import Visibility
from shared.storage.mongo import Mongo

# A reader who may know little of much gets an early answer with a cursor that has moved on.
SCANNED_MAX = 5_000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """`lag`: how many events lie behind the place, this reader's or not. `ids`: where in the feed each of the
    bodies stands.
    """

    bodies: Sequence[bytes]
    ids: Sequence[str]
    place: Place
    lag: int

    @property
    def has_more(self) -> bool:
        return self.lag > 0


class Feed:
    def __init__(self, mongo: Mongo, arrivals: Arrivals, readers: Readers) -> None:
        self._mongo, self._arrivals, self._readers = mongo, arrivals, readers

    async def read_or_wait(
        self, place: Place, wanted: TypeFilter, reader: Reader, *, limit: int, wait_s: float
    ) -> Reading:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while True:
            coming = self._arrivals.coming()
            reading = await self.read(place, wanted, reader, limit=limit)
            left_s = until - loop.time()
            if reading.bodies or reading.has_more or left_s <= 0:
                return reading
            place = reading.place
            await self._arrivals.wait(coming, left_s)
            # A role may have been withdrawn while we waited.
            reader = await self._readers.reader(reader.id)

    async def read(self, place: Place, wanted: TypeFilter, reader: Reader, *, limit: int) -> Reading:
        """A round takes an equal share of each lane that has more, so no busy lane keeps others back."""
        marks = await self.marks()
        after, scanned, count = dict(place.after), 0, 0
        found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        while scanned < SCANNED_MAX and count < limit:
            behind = {lane: high for lane, high in marks.items() if after.get(lane, -1) < high}
            if not behind:
                break
            share = max((limit - count) // len(behind), 1)
            # Where fewer are wanted than there are lanes, those that lag most come first.
            for lane in sorted(behind, key=lambda lane: after.get(lane, -1) - behind[lane])[: limit - count]:
                documents = await self._some(lane, after.get(lane, -1), behind[lane], share)
                after[lane] = documents[-1]["offset"] if len(documents) == share else behind[lane]
                scanned += len(documents)
                taken = [one for one in documents if _is_for(one, wanted, reader)]
                found[lane] += taken
                count += len(taken)
        left = sum(max(high - after.get(lane, -1), 0) for lane, high in marks.items())
        # By time as far as that goes; within a lane its own order always holds.
        events = list(heapq.merge(*found.values(), key=lambda one: one["at"]))
        return Reading(
            bodies=[one["body"] for one in events],
            ids=[one["_id"] for one in events],
            place=Place(filter_hash=place.filter_hash, after=after),
            lag=left,
        )

    async def one(self, id: str, reader: Reader) -> bytes | None:
        """The event at a place, if this reader may know of it."""
        document = await self._mongo[FEED].find_one({"_id": id})
        if document is None or not _is_for(document, TypeFilter(), reader):
            return None
        body: bytes = document["body"]
        return body

    async def marks(self) -> dict[str, int]:
        return {mark["_id"]: mark["high"] async for mark in self._mongo[MARKS].find({})}

    async def _some(self, lane: str, after: int, up_to: int, limit: int) -> list[dict[str, Any]]:
        places = {"$gt": place_id(lane, after), "$lte": place_id(lane, up_to)}
        found: list[dict[str, Any]] = await (
            self._mongo[FEED].find({"_id": places}).sort("_id", 1).limit(limit).to_list(length=limit)
        )
        return found


def _is_for(document: Mapping[str, Any], wanted: TypeFilter, reader: Reader) -> bool:
    return wanted.takes(document["type"]) and may_know(
        Visibility(document["visibility"]), document["audience"], reader
    )
