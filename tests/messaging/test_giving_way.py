"""Consumers beside commands that never cease: they go on, in parts, and miss nothing."""

import asyncio
from contextlib import ExitStack

import pytest

from shared.contracts.partners.partner import PartnerRegistered
from shared.messaging import watermarks
from shared.messaging.consumer import TURN_RECORDS_MAX
from shared.messaging.parked import RawRecord
from shared.messaging.subscription import Received, Subscription
from shared.storage.repository import Unit
from tests.support.road import TOPIC, Road, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

MEMBERS = TURN_RECORDS_MAX + 50


async def kept(event: PartnerRegistered, received: Received, unit: Unit) -> None:
    unit.change.insert("effects", {"_id": received.envelope.id})


def subscription(*, urgent: bool = False, streams: frozenset[str] | None = None) -> Subscription:
    return Subscription(
        purpose="effects", topic=TOPIC, handlers={PartnerRegistered: kept}, urgent=urgent, streams=streams
    )


def commands_without_end(road: Road) -> ExitStack:
    """As many as are always under way where there are more than the process can serve."""
    stack = ExitStack()
    for _ in range(20):
        stack.enter_context(road.writing.runtime.pace.command())
    return stack


async def test_what_follows_commands_goes_on_while_they_never_cease(road: Road) -> None:
    with commands_without_end(road):
        await road.listen(road.consumer(subscription()))
        await asyncio.gather(*(road.writing.register() for _ in range(MEMBERS)))

        async def all_there() -> bool:
            return bool(await road.mongo["effects"].count_documents({}) == MEMBERS)

        await until(all_there)


async def test_what_commands_are_decided_by_waits_for_no_turn(road: Road) -> None:
    pace = road.writing.runtime.pace
    with commands_without_end(road):
        async with pace.turn("somebody else"):
            await road.listen(road.consumer(subscription(urgent=True)))
            await road.writing.register()

            async def there() -> bool:
                return bool(await road.mongo["effects"].count_documents({}) == 1)

            await until(there)


async def test_of_streams_a_consumer_does_not_hear_nothing_is_kept(road: Road) -> None:
    deaf, hearing = subscription(streams=frozenset({"prs"})), subscription(streams=frozenset({"ptn"}))
    member = await road.writing.register()
    document = await road.mongo["events"].find_one({"stream": member.id})
    records = [
        RawRecord(
            topic=TOPIC, partition=0, offset=0, key=member.id.encode(), value=document["body"], headers=()
        )
    ]
    for heard, effects in ((deaf, 0), (hearing, 1)):
        await road.consumer(heard).handle(records)
        assert await road.mongo["effects"].count_documents({}) == effects
        assert await road.mongo[watermarks.WATERMARKS].count_documents({}) == effects


async def test_a_record_without_a_proper_key_is_looked_at_by_every_consumer(road: Road) -> None:
    heard = subscription(streams=frozenset({"prs"}))
    assert heard.concerns(None)
    assert heard.concerns(b"garbage")
    assert not heard.concerns(b"ptn_0")
