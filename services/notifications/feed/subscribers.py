"""Every event into the feed, in the place its topic gave it.

A partition's offsets are in the order of its commits, so a reader who goes by them cannot pass a lower number
that becomes visible later. The mark of a partition moves in the transaction that writes the batch: what lies
at or below it is there.

One kind of record comes late: what was parked (its predecessor was missing) and is handled after its
successors in the partition. At its own offset, readers who have passed would never see it. It gets a place in
a lane of its own beside the partition, numbered as it comes.
"""

from collections.abc import Sequence

from bson.binary import Binary

from services.notifications.feed.arrivals import Arrivals
from services.notifications.feed.documents import FEED, MARKS, lane_of, place_id
from shared.contracts.vocabulary import TOPICS
from shared.messaging.subscription import Received, Subscription
from shared.storage.repository import Unit

LATE = "late"


async def _late_place(received: Received, unit: Unit) -> tuple[str, int]:
    lane = f"{received.topic}:{LATE}"
    mark = await unit.get(MARKS, lane)
    return lane, 0 if mark is None else int(mark["high"]) + 1


def _document(received: Received, lane: str, offset: int) -> dict[str, object]:
    envelope = received.envelope
    return {
        "_id": place_id(lane, offset),
        "lane": lane,
        "offset": offset,
        "event_id": envelope.id,
        "type": envelope.type,
        "visibility": envelope.visibility.value,
        "audience": list(envelope.audiences),
        "at": envelope.recordedtime,
        "body": Binary(received.body),
    }


def subscriptions(arrivals: Arrivals) -> tuple[Subscription, ...]:
    async def record_heard(received: Received, unit: Unit) -> None:
        lane, offset = lane_of(received.topic, received.partition), received.offset
        mark = await unit.get(MARKS, lane)
        is_late = mark is not None and offset <= mark["high"]
        if is_late:
            lane, offset = await _late_place(received, unit)
            # Inserted: of two who take the same place at the same moment, one conflicts and takes another.
            unit.change.insert(FEED, _document(received, lane, offset))
        else:
            unit.put(FEED, _document(received, lane, offset))
        unit.put(MARKS, {"_id": lane, "high": offset})
        if arrivals.tell not in unit.after_commit:
            unit.after_commit.append(arrivals.tell)

    return tuple(
        Subscription(
            purpose=f"feed_of_{topic.split('.')[1]}", topic=topic, on_every=record_heard, prefetch=_marks_of
        )
        for topic in TOPICS
    )


def _marks_of(records: Sequence[Received]) -> dict[str, set[object]]:
    return {MARKS: {lane_of(one.topic, one.partition) for one in records}}
