"""A consumer whose neighbours, handlers and database do what they do on bad days."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from shared.context import system_actor
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.errors import Unavailable
from shared.messaging import parked
from shared.messaging.consumer import Consumer
from shared.messaging.opening import opened
from shared.messaging.parked import PARKED, RawRecord
from shared.messaging.subscription import Received, Subscription
from shared.messaging.watermarks import WATERMARKS
from shared.storage.repository import Unit
from tests.support.road import TOPIC, Road, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

KNOWN = (PartnerRegistered, PartnerSuspended, PartnerReinstated)
OPERATOR = system_actor("operator")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between attempts, shortened: what is tested does not depend on them."""
    monkeypatch.setattr("shared.messaging.consumer.ATTEMPT_DELAY_S", 0.01)
    monkeypatch.setattr("shared.messaging.consumer.BLOCKED_DELAY_S_MAX", 0.2)


# What goes wrong at a version: the next error to raise, or None when it goes well.
Trouble = Callable[[int], Exception | None]


def no_trouble(version: int) -> Exception | None:
    return None


class Effects:
    """A row a fact that can be inserted once; `trouble` comes before it."""

    def __init__(self, road: Road, trouble: Trouble = no_trouble) -> None:
        self.trouble = trouble
        subscription = Subscription(
            purpose="effects", topic=TOPIC, handlers=dict.fromkeys(KNOWN, self._effect)
        )
        self.consumer: Consumer = road.consumer(subscription)
        self._road = road

    async def _effect(self, event: Any, received: Received, unit: Unit) -> None:
        if error := self.trouble(received.envelope.version):
            raise error
        row = {"_id": received.envelope.id, "version": received.envelope.version, "by": unit.context.actor.id}
        unit.change.insert("effects", row)

    async def versions(self) -> list[int]:
        found = await self._road.mongo["effects"].find().sort("version", 1).to_list(length=1_000)
        return [effect["version"] for effect in found]

    async def parked(self) -> list[tuple[int, str]]:
        cursor = self._road.mongo[PARKED].find({"state": "parked"}).sort([("version", 1), ("offset", 1)])
        return [(message["version"], message["reason"]) async for message in cursor]


async def stream(road: Road, versions: int) -> list[RawRecord]:
    """The records of one aggregate, at the offsets 1, 2, 3 …: index 0 is unused, index n is version n."""
    member = await road.writing.register()
    for _ in range(versions - 1):
        await road.writing.toggle(member.id)
    events = await road.mongo["events"].find({"stream": member.id}).sort("version", 1).to_list(length=1_000)
    records = [record(event["body"], event["version"], member.id) for event in events]
    return [records[0], *records]


def record(value: bytes, offset: int, key: str) -> RawRecord:
    return RawRecord(topic=TOPIC, partition=0, offset=offset, key=key.encode(), value=value, headers=())


async def test_what_waited_is_handled_although_the_database_fails_in_between(road: Road) -> None:
    away = [Unavailable("database_away", "away")] * 2
    effects = Effects(road, lambda version: away.pop() if version == 3 and away else None)
    records = await stream(road, 4)
    await effects.consumer.handle([records[1], records[4], records[3]])
    assert await effects.parked() == [(3, "gap"), (4, "gap")]
    await effects.consumer.handle([records[2]])
    assert await effects.versions() == [1, 2, 3, 4]
    assert await effects.parked() == []


async def test_what_waited_is_handled_when_a_crash_brings_the_missing_version_again(road: Road) -> None:
    effects = Effects(road)
    records = await stream(road, 4)
    await effects.consumer.handle([records[1], records[3], records[4]])
    # As far as a process came that was killed before it looked for what waited.
    await effects.consumer._once([opened(records[2])])
    assert await effects.parked() == [(3, "gap"), (4, "gap")]
    await effects.consumer.handle([records[2]])
    assert await effects.versions() == [1, 2, 3, 4]
    assert await effects.parked() == []


async def test_what_waited_and_fails_is_parked_for_its_own_reason(road: Road) -> None:
    effects = Effects(road, lambda version: ValueError("a bug") if version == 3 else None)
    records = await stream(road, 6)
    await effects.consumer.handle([records[1], records[3], records[4]])
    await effects.consumer.handle([records[2]])
    await effects.consumer.handle([records[5], records[2]])
    assert await effects.versions() == [1, 2]
    assert await effects.parked() == [(3, "handler_failed"), (4, "gap"), (5, "behind")]
    effects.trouble = no_trouble
    await effects.consumer.replay(records[1].sequence, actor=OPERATOR, why="mended")
    await effects.consumer.handle([records[6]])
    assert await effects.versions() == [1, 2, 3, 4, 5, 6]


async def test_a_replayed_effect_has_the_author_it_would_have_had(road: Road) -> None:
    effects = Effects(road, lambda version: ValueError("a bug"))
    records = await stream(road, 1)
    await effects.consumer.handle([records[1]])
    effects.trouble = no_trouble
    await effects.consumer.replay(records[1].sequence, actor=OPERATOR, why="mended")
    effect = await road.mongo["effects"].find_one({})
    message = await road.mongo[PARKED].find_one({})
    assert effect["by"] == f"system:{effects.consumer.name}"
    assert [entry["who"] for entry in message["history"]] == [OPERATOR.id]


async def test_who_parks_meets_who_handles_at_the_watermark(road: Road) -> None:
    """Of two processes that have the same records during a rebalance, one may fail where the other does
    not.
    """
    records = await stream(road, 9)
    failing = Effects(road, lambda version: ValueError("a bug") if version % 3 == 0 else None)
    fine = Effects(road)
    for part in (records[1:4], records[4:7], records[7:]):
        await asyncio.gather(failing.consumer.handle(part), fine.consumer.handle(part))
    for _ in range(3):
        await fine.consumer.replay(records[1].sequence, actor=OPERATOR, why="mended")
    assert await fine.versions() == list(range(1, 10))
    assert await fine.parked() == []


async def test_a_record_with_the_id_of_another_and_other_content_is_parked(road: Road) -> None:
    effects = Effects(road)
    records = await stream(road, 2)
    await effects.consumer.handle([records[1], records[1]])
    forged = record(records[1].value.replace(b'"KEN"', b'"UGA"'), 50, records[1].sequence)
    await effects.consumer.handle([forged])
    assert await effects.parked() == [(1, "other_content")]
    assert await effects.versions() == [1]


async def test_a_corrected_message_that_comes_again_as_it_was_is_a_repeat(road: Road) -> None:
    effects = Effects(road, lambda version: ValueError("Uganda is meant"))
    records = await stream(road, 1)
    await effects.consumer.handle([records[1]])
    message = await road.mongo[PARKED].find_one({})

    async def mend(unit: Unit) -> None:
        parked.correct(unit, message, records[1].value.replace(b'"KEN"', b'"UGA"'), "Uganda was meant")

    await road.writing.runtime.perform(road.writing.context(), mend)
    effects.trouble = no_trouble
    await effects.consumer.replay(records[1].sequence, actor=OPERATOR, why="corrected")
    await effects.consumer.handle([record(records[1].value, 77, records[1].sequence)])
    assert await effects.versions() == [1]
    assert await effects.parked() == []


async def test_a_version_before_the_first_is_no_version(road: Road) -> None:
    effects = Effects(road)
    records = await stream(road, 1)
    zero = records[1].value.replace(b'"000000000001"', b'"000000000000"')
    await effects.consumer.handle([records[1], record(zero, 9, "elsewhere")])
    assert await effects.parked() == [(0, "not_an_envelope")]


async def test_a_document_that_a_dead_process_holds_is_waited_for_and_parks_nothing(road: Road) -> None:
    effects = Effects(road)
    records = await stream(road, 3)
    await effects.consumer.handle([records[1]])
    session = await road.mongo.start_session()
    await road.mongo.begin(session)
    await road.mongo[WATERMARKS].update_one({}, {"$inc": {"held_by_the_dead": 1}}, session=session)
    handling = asyncio.create_task(effects.consumer.handle(records[2:]))
    done, _ = await asyncio.wait([handling], timeout=3)
    assert not done
    await road.mongo.abort(session)
    await asyncio.wait_for(handling, 10)
    assert await effects.versions() == [1, 2, 3]
    assert await effects.parked() == []


async def test_a_message_that_cannot_even_be_parked_is_not_passed_over(road: Road) -> None:
    effects = Effects(road, lambda version: ValueError("a bug"))
    records = await stream(road, 1)
    database = road.mongo.database
    await database.create_collection("parked_rows_refused")
    await database.command("collMod", PARKED, validator={"reason": {"$ne": "handler_failed"}})
    handling = asyncio.create_task(effects.consumer.handle([records[1]]))

    async def blocked() -> bool:
        return effects.consumer.blocked_since is not None

    await until(blocked)
    await database.command("collMod", PARKED, validator={})
    await asyncio.wait_for(handling, 20)
    assert await effects.parked() == [(1, "handler_failed")]
