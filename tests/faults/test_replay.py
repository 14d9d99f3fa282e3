"""F13: what failed is replayed in order while more arrives. F16: what came once comes again, all of it."""

import asyncio
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from bson import encode

from shared.context import system_actor
from shared.messaging import kafka
from shared.messaging.subscription import OnEvent, Received
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from tests.faults import trial
from tests.faults.checker import findings
from tests.faults.evidence import HEARD, Evidence, Sent, gather, heard_by, records
from tests.faults.house import House, open_house
from tests.faults.scale import scale
from tests.faults.settling import settle, wait_for
from tests.faults.worker import Ground

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEYS = scale(10, 100)
FAILING_VERSION = 4
BEHIND = 20
OPERATOR = system_actor("operator")


@dataclass
class Bug:
    """Fails at one version of every aggregate until it is mended."""

    mended: bool = False

    def in_(self, handler: OnEvent) -> OnEvent:
        async def handle(event: Any, received: Received, unit: Unit) -> None:
            if received.envelope.version == FAILING_VERSION and not self.mended:
                raise ValueError("a bug")
            await handler(event, received, unit)

        return handle


async def toggle_all(house: House, ids: Sequence[str], times: int, name: str) -> None:
    callers = house.callers(name)
    for turn in range(times):
        await asyncio.gather(*(callers.ask(f"{name}-{turn}-{id}", [id]) for id in ids))


async def parked_of(ground: Ground, count: int) -> None:
    async def left(mongo: Mongo) -> str:
        found = await mongo["parked"].count_documents({"state": "parked"})
        return f"{found} of {count} are parked" if found != count else ""

    await wait_for(ground, left, within_s=60)


async def replay_all(house: House, ids: Sequence[str]) -> None:
    """As an operator would, once for each aggregate."""
    consumer = house.consumer("effects")
    await asyncio.gather(*(consumer.replay(id, actor=OPERATOR, why="mended") for id in ids))


@pytest.mark.timeout(scale(120, 600))
async def test_a_replay_among_new_arrivals_ends_where_an_undisturbed_run_ends(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.consumer.ATTEMPT_DELAY_S", 0.01)
    bug, ids = Bug(), [trial.member_id(number) for number in range(KEYS)]
    calm = trial.effects_subscription("calm")
    effects = trial.effects_subscription()
    buggy = {event: bug.in_(handler) for event, handler in effects.handlers.items()}
    failing = replace(effects, handlers=buggy)
    heard = heard_by([effects, calm])
    async with open_house(ground, [failing, calm]) as house:
        await toggle_all(house, ids, FAILING_VERSION + BEHIND, "before")
        await parked_of(ground, KEYS * (BEHIND + 1))
        bug.mended = True
        arriving = asyncio.create_task(toggle_all(house, ids, BEHIND, "meanwhile"))
        await replay_all(house, ids)
        await arriving
        await settle(ground, heard=heard)
    evidence = await gather(ground, heard)
    assert findings(evidence) == []
    assert [links(evidence, "effects", id) for id in ids] == [links(evidence, "calm", id) for id in ids]
    first = [message["reason"] for message in evidence.parked if message["version"] == FAILING_VERSION]
    assert first == ["handler_failed"] * KEYS
    assert {m["reason"] for m in evidence.parked if m["version"] != FAILING_VERSION} == {"behind"}


def links(evidence: Evidence, purpose: str, id: str) -> str:
    return str(evidence.tallies[f"{purpose}|{id}"]["link"])


@pytest.mark.timeout(scale(120, 600))
async def test_a_topic_that_comes_again_from_its_beginning_changes_nothing(ground: Ground) -> None:
    commands = scale(200, 5_000)
    async with open_house(ground, trial.SUBSCRIPTIONS, with_timers=True) as house:
        await house.callers(rate=200, members=20, commands_max=commands).run()
        await settle(ground)
    before = await state(ground)
    sent = await records(ground)
    await send_again_shuffled(ground, sent)
    await rewind(ground)
    async with open_house(ground, trial.SUBSCRIPTIONS, with_timers=True):
        await everything_read(ground, 2 * len(sent))
    assert await state(ground) == before


async def state(ground: Ground) -> dict[str, str]:
    """A hash of each collection that commands, consumers and timers write. Writers and their positions are
    new at every start.
    """
    mongo = Mongo(ground.mongo_url, ground.database)
    try:
        names = await mongo.database.list_collection_names()
        return {
            name: await _hash(mongo, name)
            for name in sorted(names)
            if name not in ("writers", "relays") and not name.startswith("system.")
        }
    finally:
        await mongo.close()


async def _hash(mongo: Mongo, name: str) -> str:
    found = hashlib.sha256()
    async for document in mongo[name].find().sort("_id", 1):
        found.update(encode(document))
    return found.hexdigest()


async def send_again_shuffled(ground: Ground, sent: Sequence[Sent]) -> None:
    """Every record once more, in no order and in whatever partition."""
    producer = kafka.new_producer(ground.kafka_url, "stranger")
    await producer.start()
    try:
        for record in random.sample(sent, len(sent)):
            place = random.randrange(kafka.PARTITIONS)
            topic = ground.topic_prefix + record.topic
            await producer.send(topic, record.value, key=record.key.encode(), partition=place)
        await producer.flush()
    finally:
        await producer.stop()


async def rewind(ground: Ground) -> None:
    """Every group stands before the first record again."""
    for consumer, (topic, _) in HEARD.items():
        partitions = await kafka.partitions_of(ground.kafka_url, ground.topic_prefix + topic)
        group = AIOKafkaConsumer(
            bootstrap_servers=ground.kafka_url,
            group_id=ground.topic_prefix + consumer,
            enable_auto_commit=False,
        )
        await group.start()
        try:
            group.assign(partitions)
            await group.commit(dict.fromkeys(partitions, 0))
        finally:
            await group.stop()


async def everything_read(ground: Ground, records_min: int) -> None:
    """The groups have committed the ends of their topics."""
    loop = asyncio.get_running_loop()
    end = loop.time() + 60
    while (left := await lag(ground)) or loop.time() > end:
        assert loop.time() < end, left
        await asyncio.sleep(0.3)
    assert len(await records(ground)) == records_min


async def lag(ground: Ground) -> str:
    evidence = await gather(ground)
    ends: dict[tuple[str, int], int] = {}
    for sent in evidence.sent:
        ends[sent.topic, sent.partition] = sent.offset + 1
    for consumer, (topic, _) in HEARD.items():
        for place, end in ends.items():
            if place[0] == topic and evidence.offsets[consumer].get(place, 0) < end:
                return f"{consumer} has not read {place} to {end}"
    return ""
