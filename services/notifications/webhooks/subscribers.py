"""Events become deliveries to the endpoints that asked for them and whose owners may know of them.

A batch is planned before its first record is handled: one look at the book, one at the owners, one at the
lanes. Two gates, apart from each other: what the endpoint asked for, and what its owner may know at this
moment. The second is asked again each time a delivery is sent.

Facts about deliveries themselves are not sent to endpoints: each would make the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from services.notifications.deliveries.domain.delivery import About, Planned
from services.notifications.deliveries.domain.disclosure import may_know
from services.notifications.deliveries.opening import Batch, Opening
from services.notifications.deliveries.readers import reader_of
from services.notifications.webhooks.bodies import Bodies
from services.notifications.webhooks.book import Book
from services.notifications.webhooks.carrier import WebhookCarrier
from services.notifications.webhooks.documents import Address
from shared.contracts.notifications.delivery import Channel
from shared.http.directory_projection import DIRECTORY
from shared.messaging.subscription import Received, Subscription
from shared.storage.repository import Unit

TOPICS = ("concord.partners.v1", "concord.agreements.v1")


@dataclass(frozen=True)
class _Plan:
    batch: Batch
    by_event: Mapping[str, Sequence[Planned]]


class EndpointsAreTold:
    """The handler of one topic."""

    def __init__(self, opening: Opening, book: Book, bodies: Bodies, carrier: WebhookCarrier) -> None:
        self._opening, self._book, self._bodies, self._carrier = opening, book, bodies, carrier
        self._announced: Sequence[Received] = ()
        self._of_unit: WeakKeyDictionary[Unit, _Plan] = WeakKeyDictionary()

    def announce(self, records: Sequence[Received]) -> Mapping[str, set[object]]:
        self._announced = records
        return {}

    async def tell(self, received: Received, unit: Unit) -> None:
        plan = self._of_unit.get(unit)
        if plan is None:
            plan = self._of_unit[unit] = await self._plan(received, unit)
        planned = plan.by_event[received.envelope.id]
        for one in planned:
            self._opening.open(unit, plan.batch, one, closed_because=self._closed_because(one.target))
        if planned:
            self._bodies.keep(unit, received.envelope.id, received.body)

    def _closed_because(self, target: str) -> str | None:
        return None if self._carrier.width(target) else self._carrier.closed_because(target)

    async def _plan(self, received: Received, unit: Unit) -> _Plan:
        """Of the whole batch; of the one record where it was not announced, as when it is replayed."""
        ids = {one.envelope.id for one in self._announced}
        records = self._announced if received.envelope.id in ids else [received]
        await self._book.look()
        wanting = {one.envelope.id: self._book.wanting(one.envelope.type) for one in records}
        await unit.prefetch(DIRECTORY, {address.owner_id for found in wanting.values() for address in found})
        by_event = {one.envelope.id: await _planned(one, wanting[one.envelope.id], unit) for one in records}
        lanes = {one.lane for planned in by_event.values() for one in planned if one.lane is not None}
        told = [id for id, planned in by_event.items() if planned]
        return _Plan(await self._opening.begin(unit, told, lanes), by_event)


async def _planned(received: Received, wanting: Sequence[Address], unit: Unit) -> list[Planned]:
    about, found = About.of(received.envelope), []
    for address in wanting:
        owner = reader_of(address.owner_id, await unit.get(DIRECTORY, address.owner_id))
        if may_know(about.visibility, about.audience, owner):
            found.append(
                Planned(
                    source=address.id,
                    channel=Channel.WEBHOOK,
                    target=address.id,
                    recipient=address.id,
                    owner=address.owner_id,
                    about=about,
                    in_order=True,
                )
            )
    return found


def subscriptions(
    opening: Opening, book: Book, bodies: Bodies, carrier: WebhookCarrier
) -> tuple[Subscription, ...]:
    found = []
    for topic in TOPICS:
        telling = EndpointsAreTold(opening, book, bodies, carrier)
        purpose = f"webhooks_of_{topic.split('.')[1]}"
        found.append(
            Subscription(purpose=purpose, topic=topic, on_every=telling.tell, prefetch=telling.announce)
        )
    return tuple(found)
