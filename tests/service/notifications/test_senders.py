"""Senders: nothing twice at the same time, nothing lost when one dies, stops or loses its database."""

from collections import Counter
from collections.abc import Iterable

import pytest
from pymongo.errors import AutoReconnect

from services.notifications.deliveries.domain.delivery import Again, Item, State, Taken
from services.notifications.deliveries.ledger import Ledger
from services.notifications.deliveries.settling import settle_all
from shared.contracts.notifications.delivery import Channel, DeliveryAccepted
from shared.ids import new_id
from tests.service.notifications.desk import Database, Desk, registered
from tests.service.notifications.watched import Watch
from tests.support.receiver import Receiver
from tests.support.road import until

pytestmark = pytest.mark.asyncio


def partners(count: int) -> list[str]:
    return [new_id("ptn") for _ in range(count)]


class ThriceAway(Ledger):
    """The database is away three times when results are written."""

    left = 3

    async def put_off(self, results: Iterable[tuple[Item, Again]]) -> None:
        if self.left:
            self.left -= 1
            raise AutoReconnect("the primary is gone")
        await super().put_off(results)


async def hear_of(desk: Desk, count: int) -> None:
    await desk.hear(*(registered(partner) for partner in partners(count)))


async def accepted(desk: Desk) -> Counter[str]:
    facts = await desk.facts()
    return Counter(fact.delivery_id for fact in facts if isinstance(fact, DeliveryAccepted))


async def test_two_senders_never_carry_one_delivery_at_the_same_time(
    database: Database, receiver: Receiver
) -> None:
    """What waits in memory longer than its lease is claimed by both, and carried by one."""
    watch = Watch(slowness_s=0.1)
    one = await database.desk(lease_s=0.5, wrap=watch)
    other = await database.desk(lease_s=0.5, wrap=watch)
    await one.endpoint(receiver.url("/ok"), "partner.*")
    await other.ways.book.look()
    await hear_of(one, 90)
    await one.start(Channel.WEBHOOK)
    await other.start(Channel.WEBHOOK)
    await one.until_states(channel="webhook", delivered=90)
    assert watch.twice_at_once == []
    assert set((await accepted(one)).values()) == {1}


async def test_what_a_dead_sender_held_is_sent_by_another_when_its_lease_runs_out(
    database: Database, receiver: Receiver
) -> None:
    watch = Watch()
    watch.gate.clear()
    dying = await database.desk(lease_s=0.5, wrap=watch)
    await dying.endpoint(receiver.url("/ok"), "partner.*")
    await hear_of(dying, 15)
    await dying.start(Channel.WEBHOOK)
    await until(lambda: _is(watch.under_way.total() == 10))
    await dying.die()
    heir = await database.desk()
    await heir.start(Channel.WEBHOOK)
    await heir.until_states(channel="webhook", delivered=15)
    assert len(await accepted(heir)) == 15
    assert len(receiver.requests) == 15


async def test_a_result_that_comes_after_its_lease_changes_nothing(
    database: Database, receiver: Receiver
) -> None:
    watch = Watch()
    watch.gate.clear()
    slow = await database.desk(lease_s=0.4, wrap=watch)
    await slow.endpoint(receiver.url("/ok"), "partner.*")
    await hear_of(slow, 1)
    await slow.start(Channel.WEBHOOK)
    await until(lambda: _is(watch.under_way.total() == 1))
    heir = await database.desk()
    await heir.start(Channel.WEBHOOK)
    await heir.until_states(channel="webhook", delivered=1)
    settled = await heir.deliveries(channel="webhook")
    watch.gate.set()
    await slow.stop()
    assert len(receiver.requests) == 2, "it had gone out by then"
    assert await heir.deliveries(channel="webhook") == settled
    assert list((await accepted(heir)).values()) == [1]


async def test_a_delivery_that_one_process_has_twice_is_settled_once(
    database: Database, receiver: Receiver
) -> None:
    """Its lease ran out before the result was written, and the process claimed it anew."""
    desk = await database.desk(lease_s=0.0)
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    await hear_of(desk, 1)
    (first,) = await desk.ledger.claim_due(Channel.WEBHOOK, 10)
    (second,) = await desk.ledger.claim_due(Channel.WEBHOOK, 10)
    assert (first.key, first.lease != second.lease) == (second.key, True)
    taken = Taken(state=State.DELIVERED)
    both = [(first, taken), (second, taken)]
    await settle_all(desk.runtime, desk.ledger, both, desk.ways.webhooks.stage)
    await settle_all(desk.runtime, desk.ledger, both, desk.ways.webhooks.stage)
    assert list((await accepted(desk)).values()) == [1]


async def test_a_sender_that_stops_finishes_what_is_under_way_and_gives_back_the_rest(
    database: Database, receiver: Receiver
) -> None:
    watch = Watch()
    watch.gate.clear()
    stopping = await database.desk(wrap=watch)
    await stopping.endpoint(receiver.url("/ok"), "partner.*")
    await hear_of(stopping, 25)
    await stopping.start(Channel.WEBHOOK)
    await until(lambda: _is(watch.under_way.total() == 10))
    for sender in stopping.senders.values():
        sender.stop()
    watch.gate.set()
    await stopping.stop()
    assert await stopping.states(channel="webhook") == {"delivered": 10, "pending": 15}
    heir = await database.desk()
    await heir.start(Channel.WEBHOOK)
    await heir.until_states(channel="webhook", delivered=25)
    assert len(receiver.requests) == 25


async def test_a_sender_without_its_database_forgets_nothing(database: Database, receiver: Receiver) -> None:
    desk = await database.desk(ledger_kind=ThriceAway)
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    await hear_of(desk, 5)
    await desk.until_states(channel="webhook", delivered=5)
    assert set((await accepted(desk)).values()) == {1}
    assert len(receiver.requests) == 5


async def test_a_fault_of_ours_costs_the_endpoint_no_attempt(database: Database, receiver: Receiver) -> None:
    desk = await database.desk()
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    await desk.hear(registered(new_id("ptn")))
    await desk.mongo["endpoint_addresses"].update_many({}, {"$set": {"secrets.0.sealed": "v1.test.AAAA"}})
    await desk.mongo["endpoint_book"].update_many({}, {"$inc": {"version": 1}})
    await desk.ways.book.look()
    await desk.start(Channel.WEBHOOK)
    await until(lambda: _reason(desk, "internal"))
    (delivery,) = await desk.deliveries(channel="webhook")
    assert (delivery["state"], delivery["attempts"]) == ("pending", 0)


async def _reason(desk: Desk, reason: str) -> bool:
    return [one["reason"] for one in await desk.deliveries(channel="webhook")] == [reason]


async def _is(holds: bool) -> bool:
    return holds
