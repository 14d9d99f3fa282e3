"""The inbox as a channel: the way is a write, made in the change that settles the delivery.

So there is nothing that could fail between being placed and being noted as placed, and an item is in the
inbox exactly once. The person's counter is read and written in the same change: two changes that would give
one number to two items conflict.
"""

from collections.abc import Awaitable, Callable

from services.notifications.deliveries.domain.delivery import GivenUp, Item, Result, State, Taken
from services.notifications.inbox.documents import COUNTERS, INBOX
from services.notifications.inbox.streams import Streams
from shared.contracts.notifications.delivery import Channel
from shared.storage.repository import Unit

# All go the same way, which is as wide as a change is large.
WIDTH = 200
ROOM = 2_000


class InboxCarrier:
    channel = Channel.INBOX
    carry_s_max = 5.0

    def __init__(self, may_be_told: Callable[[Item], Awaitable[bool]], streams: Streams) -> None:
        self._may_be_told, self._streams = may_be_told, streams

    def width(self, target: str) -> int:
        return WIDTH

    def room(self, target: str, *, plenty: bool) -> int:
        return ROOM

    def closed_because(self, target: str) -> str:
        raise AssertionError("the inbox is never closed")

    async def carry(self, item: Item) -> Result:
        if not await self._may_be_told(item):
            return GivenUp(reason="not_disclosed", state=State.SUPPRESSED)
        return Taken(state=State.DELIVERED)

    async def stage(self, item: Item, result: Taken | GivenUp, unit: Unit) -> None:
        if isinstance(result, GivenUp):
            return
        counter = await unit.get(COUNTERS, item.recipient)
        seq = 1 if counter is None else counter["seq"] + 1
        unit.put(COUNTERS, {"_id": item.recipient, "seq": seq})
        unit.change.insert(
            INBOX,
            {
                "_id": item.id,
                "person": item.recipient,
                "seq": seq,
                "event_id": item.about.event_id,
                "event_type": item.about.event_type,
                "about": item.about.subject,
                "content": dict(item.content),
                "at": unit.context.now,
                "read_at": None,
            },
        )
        unit.after_commit.append(lambda: self._streams.wake(item.recipient))
