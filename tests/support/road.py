"""The road from a commit to a consumer's effect, on real servers, without HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from shared.clock import SystemClock
from shared.messaging import kafka, parked
from shared.messaging.broker import Listening
from shared.messaging.consumer import Consumer
from shared.messaging.relay import Relay
from shared.messaging.subscription import Subscription
from shared.service import Runtime
from shared.storage import event_log, timers
from shared.storage.committer import Committer
from shared.storage.documents import create_indexes
from shared.storage.mongo import Mongo
from shared.telemetry import Metrics
from tests.support.writing import Writing, members

TOPIC = "concord.partners.v1"


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
    """Wait for a condition, and say so when it does not come about."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not come about"
        await asyncio.sleep(0.02)


@dataclass
class Road:
    """One process's part of a service: a committer with its relay, and consumers when asked for."""

    writing: Writing
    relay: Relay
    bootstrap: str
    prefix: str
    listening: list[Listening] = field(default_factory=list)

    @property
    def mongo(self) -> Mongo:
        return self.writing.mongo

    def consumer(self, subscription: Subscription) -> Consumer:
        return Consumer(self.writing.runtime, subscription, Metrics())

    async def listen(self, consumer: Consumer, batch_records: int = 500) -> Listening:
        listening = Listening(
            [consumer],
            bootstrap=self.bootstrap,
            client_id="test",
            metrics=Metrics(),
            topic_prefix=self.prefix,
            batch_records=batch_records,
            pace=self.writing.runtime.pace,
        )
        await listening.start()
        await asyncio.wait_for(listening.started.wait(), 20)
        self.listening.append(listening)
        return listening

    async def send(
        self,
        value: bytes | None,
        key: str,
        headers: list[tuple[str, bytes | None]] | None = None,
        partition: int | None = None,
    ) -> None:
        """A record that did not come from a relay."""
        producer = kafka.new_producer(self.bootstrap, "stranger")
        await producer.start()
        try:
            await producer.send_and_wait(
                self.prefix + TOPIC, value, key=key.encode(), headers=headers, partition=partition
            )
        finally:
            await kafka.stop_within_bounds(producer)

    async def topic(self) -> list[ConsumerRecord]:
        """Everything in the topic, partition by partition."""
        reader = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await reader.start()
        try:
            partitions = await kafka.partitions_of(self.bootstrap, self.prefix + TOPIC)
            reader.assign(partitions)
            ends = await reader.end_offsets(partitions)
            found: list[ConsumerRecord] = []
            for partition in partitions:
                reader.seek(partition, 0)
            while any([await reader.position(partition) < ends[partition] for partition in partitions]):
                batch = await reader.getmany(timeout_ms=200)
                found.extend(record for records in batch.values() for record in records)
            return found
        finally:
            await reader.stop()


@asynccontextmanager
async def open_road(mongo_url: str, bootstrap: str, name: str, *, fresh: bool = True) -> AsyncIterator[Road]:
    """`fresh=False` joins what another one of the same name has begun, as a second process would."""
    mongo = Mongo(mongo_url, f"road_{name}")
    await event_log.prepare(mongo)
    await create_indexes(mongo, [members.documents, timers.DOCUMENTS, parked.DOCUMENTS])
    prefix = f"{name}."
    await kafka.ensure_topics(bootstrap, [prefix + TOPIC], 1)
    relay = Relay(mongo, bootstrap, f"test-{name}", prefix)
    committer = Committer(mongo, f"test-{name}", relay.on_committed, relay.on_new_log)
    await committer.start()
    await relay.start()
    runtime = Runtime("partners", mongo, SystemClock(), committer)
    road = Road(Writing(mongo, committer, runtime), relay, bootstrap, prefix)
    try:
        yield road
    finally:
        for listening in road.listening:
            await listening.stop()
        await committer.stop()
        await relay.stop()
        if fresh:
            await mongo.client.drop_database(f"road_{name}")
        await mongo.close()
