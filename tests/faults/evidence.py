"""Everything that is left after a run, read once and looked at offline: the database, the topics, the
offsets of the groups, and what the callers were told.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.vocabulary import TOPICS
from shared.messaging import kafka
from shared.messaging.subscription import Subscription
from shared.storage.mongo import Mongo
from tests.faults import trial
from tests.faults.history import Command, commands, read
from tests.faults.worker import Ground

Document = dict[str, Any]
# For each consumer its topic and the types that have an effect.
Heard = Mapping[str, tuple[str, frozenset[str]]]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A record of a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """`offsets`: what each consumer's group has committed, by topic and partition."""

    events: list[Document]
    states: dict[str, list[Document]]
    writers: list[Document]
    relays: dict[str, int]
    watermarks: dict[str, Document]
    parked: list[Document]
    timers: list[Document]
    effects: list[Document]
    tallies: dict[str, Document]
    sent: list[Sent]
    offsets: dict[str, dict[tuple[str, int], int]]
    commands: dict[str, Command]
    heard: Heard


def heard_by(subscriptions: Iterable[Subscription]) -> Heard:
    return {
        consumer_name(subscription.purpose): (
            subscription.topic,
            frozenset(event.type for event in subscription.handlers),
        )
        for subscription in subscriptions
    }


def consumer_name(purpose: str) -> str:
    return f"concord.{trial.SERVICE}.{purpose}"


HEARD: Heard = heard_by(trial.SUBSCRIPTIONS)


async def gather(ground: Ground, heard: Heard = HEARD) -> Evidence:
    mongo = Mongo(ground.mongo_url, ground.database)
    try:
        relays = await _all(mongo, "relays")
        watermarks, tallies = await _all(mongo, "watermarks"), await _all(mongo, trial.TALLIES)
        return Evidence(
            events=await _all(mongo, "events", [("writer", 1), ("seq", 1)]),
            states={kept.collection: await _all(mongo, kept.collection) for kept in trial.REPOSITORIES},
            writers=await _all(mongo, "writers"),
            relays={relay["_id"]: relay["relayed"] for relay in relays},
            watermarks={document["_id"]: document for document in watermarks},
            parked=await _all(mongo, "parked"),
            timers=await _all(mongo, "timers"),
            effects=await _all(mongo, trial.EFFECTS),
            tallies={document["_id"]: document for document in tallies},
            sent=await records(ground),
            offsets=await _offsets(ground, heard),
            commands=commands(read(ground.history)),
            heard=heard,
        )
    finally:
        await mongo.close()


async def _all(mongo: Mongo, name: str, sort: Sequence[tuple[str, int]] = (("_id", 1),)) -> list[Document]:
    found: list[Document] = await mongo[name].find().sort(list(sort)).to_list(length=None)
    return found


async def records(ground: Ground) -> list[Sent]:
    """Every record of the ground's topics, partition by partition in the order of the offsets."""
    reader = AIOKafkaConsumer(bootstrap_servers=ground.kafka_url, enable_auto_commit=False)
    await reader.start()
    found: list[Sent] = []
    try:
        for topic in TOPICS:
            partitions = await kafka.partitions_of(ground.kafka_url, ground.topic_prefix + topic)
            reader.assign(partitions)
            ends = await reader.end_offsets(partitions)
            for partition in partitions:
                reader.seek(partition, 0)
            while any([await reader.position(partition) < ends[partition] for partition in partitions]):
                batches = await reader.getmany(timeout_ms=200)
                found.extend(_sent(topic, record) for batch in batches.values() for record in batch)
    finally:
        await reader.stop()
    return sorted(found, key=lambda sent: (sent.topic, sent.partition, sent.offset))


def _sent(topic: str, record: Any) -> Sent:
    return Sent(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"").decode(errors="replace"),
        value=record.value or b"",
    )


async def _offsets(ground: Ground, consumers: Mapping[str, object]) -> dict[str, dict[tuple[str, int], int]]:
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka_url)
    await admin.start()
    found: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    try:
        for consumer in consumers:
            committed = await admin.list_consumer_group_offsets(ground.topic_prefix + consumer)
            for partition, offset in committed.items():
                topic = partition.topic.removeprefix(ground.topic_prefix)
                found[consumer][topic, partition.partition] = offset.offset
    finally:
        await admin.close()
    return dict(found)
