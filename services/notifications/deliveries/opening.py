"""New deliveries: written in the unit of the event that makes them, handed to their senders once committed.

A delivery's id is given by what it is about, so making it twice makes it once: what is there already is left
as it is and not sent from here. Where order matters, a second delivery about the same subject waits behind
the first; whether there is a first, open or waiting itself, is looked up for the whole batch at once, and the
unique index over open lanes makes a batch that looked too early look again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.notifications.deliveries.documents import DELIVERIES, item_of, opened
from services.notifications.deliveries.domain.delivery import Item, Planned, State
from services.notifications.deliveries.ledger import Ledger
from shared.contracts.notifications.delivery import Channel
from shared.storage.repository import Unit

# Takes what is leased to this process, the lanes in which something waits, and the targets that have parked.
HandOver = Callable[[Iterable[Item], Iterable[str], Iterable[str]], None]


@dataclass(kw_only=True)
class _Handed:
    lease: str
    leased_until: datetime
    items: list[Item] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)
    parked_targets: set[str] = field(default_factory=set)


@dataclass
class Batch:
    """What one unit opens. `known`: deliveries that are there; `taken`: lanes with one open or waiting."""

    known: set[str]
    taken: set[str]
    handed: dict[Channel, _Handed] = field(default_factory=dict)


class Opening:
    def __init__(self, ledger: Ledger, senders: Mapping[Channel, HandOver]) -> None:
        self._ledger, self._senders = ledger, senders

    async def begin(self, unit: Unit, event_ids: Iterable[str], lanes: Iterable[str] = ()) -> Batch:
        wanted = list(lanes)
        batch = Batch(
            known=await self._ledger.known(list(event_ids)),
            taken=await self._ledger.taken_lanes(wanted) if wanted else set(),
        )
        unit.after_commit.append(lambda: self._hand_over(batch))
        return batch

    def open(self, unit: Unit, batch: Batch, planned: Planned, *, closed_because: str | None = None) -> None:
        """Stage one delivery. `closed_because`: its target takes nothing now."""
        if planned.key in batch.known:
            return
        batch.known.add(planned.key)
        handed = self._handed(batch, planned.channel)
        state = _state(batch, planned, closed_because)
        document = opened(
            planned,
            state=state,
            due=handed.leased_until,
            lease=handed.lease if state is State.PENDING else None,
            queued_at=unit.context.recorded_at,
            correlation_id=unit.context.correlation_id,
            trace=unit.context.traceparent,
            reason=closed_because if state is State.PARKED else None,
        )
        match state:
            case State.PENDING:
                handed.items.append(item_of({"_id": planned.key, **document}))
            case State.PARKED:
                handed.parked_targets.add(planned.target)
            case State.WAITING:
                handed.lanes.update([planned.lane] if planned.lane else ())
        unit.change.edit(DELIVERIES, {"_id": planned.key}, {"$setOnInsert": document}, upsert=True)

    def _handed(self, batch: Batch, channel: Channel) -> _Handed:
        if channel not in batch.handed:
            lease, until = self._ledger.new_lease(channel)
            batch.handed[channel] = _Handed(lease=lease, leased_until=until)
        return batch.handed[channel]

    def _hand_over(self, batch: Batch) -> None:
        for channel, handed in batch.handed.items():
            self._senders[channel](handed.items, handed.lanes, handed.parked_targets)


def _state(batch: Batch, planned: Planned, closed_because: str | None) -> State:
    """Behind whatever its lane has open; in front otherwise, and then the lane is taken."""
    if planned.lane is not None:
        if planned.lane in batch.taken:
            return State.WAITING
        batch.taken.add(planned.lane)
    return State.PENDING if closed_because is None else State.PARKED
