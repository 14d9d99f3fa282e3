"""The door to Kafka: the producer the relay sends with, and the topics that must be there.

One idempotent producer a process. Its batches never expire, so while the brokers are away sends simply wait;
what a producer cannot recover from (its sequence is lost) it reports as a KafkaError, and the relay builds a
new one and resends from its position.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, ProducerClosed, TopicAlreadyExistsError, for_code

LINGER_MS = 2
BATCH_BYTES = 262_144
REQUEST_MS = 30_000
STOP_S = 5.0
CANCEL_S = 0.5
CANCELS_MAX = 5
RETRY_S_MAX = 5.0
PARTITIONS = 12
# Internal topics keep everything, so that a service can rebuild what it knows of another.
KEEP_ALWAYS = {"retention.ms": "-1", "cleanup.policy": "delete"}

log = structlog.get_logger()


def new_producer(bootstrap: str, client_id: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES,
        request_timeout_ms=REQUEST_MS,
        metadata_max_age_ms=30_000,
    )


async def start_when_possible(bootstrap: str, client_id: str) -> AIOKafkaProducer:
    """A started producer, however long the brokers take to come. Cancel it to give up."""
    delay_s = 0.2
    while True:
        producer = new_producer(bootstrap, client_id)
        try:
            await undisturbed(producer.start())
            return producer
        except KafkaError as error:
            log.warning("kafka_away", error=type(error).__name__, retry_s=delay_s)
            await stop_within_bounds(producer)
        except BaseException:
            await stop_within_bounds(producer)
            raise
        await asyncio.sleep(delay_s)
        delay_s = min(delay_s * 2, RETRY_S_MAX)


class SharedProducer:
    """The one producer of a process: started when first asked for, replaced by whoever finds it failed."""

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._closed = False

    async def get(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._closed:
                raise ProducerClosed
            if self._producer is None:
                self._producer = await start_when_possible(self._bootstrap, self._client_id)
            return self._producer

    async def replace(self, failed: AIOKafkaProducer | None) -> None:
        """Unless somebody else has replaced it already."""
        async with self._starting:
            if failed is None or self._producer is not failed:
                return
            self._producer = None
        await stop_within_bounds(failed)

    async def close(self) -> None:
        self._closed = True
        if self._producer is not None:
            await stop_within_bounds(self._producer)
            self._producer = None


async def stop_within_bounds(producer: AIOKafkaProducer) -> None:
    """Stopping an idempotent producer hangs while its broker does; what it leaves can only repeat."""
    await undisturbed(_stop(producer))


async def _stop(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError):
        await is_done_within(STOP_S, producer.stop())


async def undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """For a client's start and stop: cancelled in the middle, it forgets a connection it has just opened. So
    whoever is cancelled meanwhile goes on when it is done, within bounds.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=STOP_S)
        await end(task)
        raise


async def is_done_within(seconds: float, work: Coroutine[Any, Any, None]) -> bool:
    """False: the time was over, or the client gave up what it was waiting for, as it does with futures of
    its own when a connection ends. The work has ended when this returns, or is cancelled: it would go on
    with a client that somebody closes next.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        await end(task)
    if task.cancelled() or not task.done():
        return False
    task.result()
    return True


def is_ours_to_end() -> bool:
    """Of a CancelledError that was caught: whether somebody has asked this task to end. The client cancels
    futures of its own when a connection ends, and whoever awaits one hears the same.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end(task: asyncio.Task[None], *, at_leisure: bool = False) -> None:
    """Cancel a task that is in the client's hands. The client may be deaf to it for once, where an answer
    comes at that very moment; so it is told again, and in the end left alone. `at_leisure`: it may be in the
    middle of what is undisturbed.
    """
    for attempt in range(CANCELS_MAX):
        if task.done():
            break
        task.cancel()
        await asyncio.wait({task}, timeout=2 * STOP_S if at_leisure and attempt == 0 else CANCEL_S)
    if task.done() and not task.cancelled():
        task.exception()  # Whatever it was, it has been logged or does not matter any more.


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="concord-topics")
    try:
        await undisturbed(admin.start())
        yield admin
    finally:
        await undisturbed(admin.close())


async def ensure_topics(bootstrap: str, topics: Sequence[str], replication: int) -> None:
    """Create the topics that are absent. Raises KafkaError while the brokers are away."""
    async with _admin(bootstrap) as admin:
        there = set(await admin.list_topics())
        absent = [
            NewTopic(
                topic, num_partitions=PARTITIONS, replication_factor=replication, topic_configs=KEEP_ALWAYS
            )
            for topic in topics
            if topic not in there
        ]
        if not absent:
            return
        answer = await admin.create_topics(absent, timeout_ms=REQUEST_MS)
        for topic, code, *_ in answer.topic_errors:
            if code and for_code(code) is not TopicAlreadyExistsError:
                raise for_code(code)(topic)


async def ensure_topics_within(
    seconds: float, bootstrap: str, topics: Sequence[str], replication: int
) -> None:
    """For whoever goes on without them: while the brokers are away, what is written waits."""
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(seconds):
            await ensure_topics(bootstrap, topics, replication)


async def partitions_of(bootstrap: str, topic: str) -> list[TopicPartition]:
    """The topic's partitions; none where it is not there yet."""
    async with _admin(bootstrap) as admin:
        [described] = await admin.describe_topics([topic])
    return [
        TopicPartition(topic, number) for number in sorted(p["partition"] for p in described["partitions"])
    ]
