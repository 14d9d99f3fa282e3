"""FastStream's part: batches of raw records to our consumers, offsets committed after their transaction.

Chosen on purpose, where the library's defaults would lose messages: a group starts at the earliest record; a
batch that raises is sought back to, not acknowledged; headers that are null or not UTF-8 are mended by the
parser before the library reads them, because a parser that raises makes it skip the record; the decoder hands
over the raw records, so nothing is decoded that we do not trust.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from faststream.middlewares import AckPolicy
from pymongo.errors import PyMongoError

from shared.messaging import kafka
from shared.messaging.consumer import Consumer
from shared.messaging.parked import RawRecord
from shared.pace import Pace
from shared.telemetry import Metrics

BATCH_RECORDS = 500
BATCH_WAIT_MS = 25
GRACE_S = 20.0
REBALANCE_MS = 30_000
SESSION_MS = 10_000
POLL_MS_MAX = 300_000
RETRY_S_MAX = 5.0
LOOK_EVERY_S = 2.0
# While commands are served, batches are taken this seldom: few large ones cost less than many small ones.
GATHER_S = 0.2
# A busy machine is slow to answer; one that is away does not answer at all.
LOOK_S = 5.0

log = structlog.get_logger()


class Listening:
    """All consumers of a service, from the first connection to the last commit."""

    def __init__(
        self,
        consumers: Sequence[Consumer],
        *,
        bootstrap: str,
        client_id: str,
        metrics: Metrics,
        topic_prefix: str = "",
        replication: int = 1,
        topics: Sequence[str] = (),
        batch_records: int = BATCH_RECORDS,
        instance: str = "",
        pace: Pace | None = None,
    ) -> None:
        self.started = asyncio.Event()
        # Kafka did not answer when it was last asked.
        self.away = False
        # Called with a consumer's name whenever it is known to have handled everything its topic holds.
        self.level: Callable[[str], Awaitable[None]] = _nobody_asks
        self._bootstrap = bootstrap
        self._replication = replication
        self._metrics = metrics
        self._prefix = topic_prefix
        self._instance = instance
        self._pace = pace or Pace()
        self._topics = [topic_prefix + topic for topic in topics]
        self._tasks: list[asyncio.Task[None]] = []
        # Where each partition ended when the group was seen to have handled all of it.
        self._level_at: dict[tuple[str, TopicPartition], int] = {}
        self.broker = KafkaBroker(
            bootstrap,
            client_id=client_id,
            consumer_only=True,
            allow_auto_create_topics=False,
            graceful_timeout=GRACE_S,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            apply_types=False,
            log_level=logging.DEBUG,
            logger=_counting_logger(client_id, metrics),
        )
        self._subscribers = {
            consumer.name: self._subscribe(consumer, batch_records) for consumer in consumers
        }

    def _subscribe(self, consumer: Consumer, batch_records: int) -> Any:
        drain = _DrainBeforeRebalance()
        subscriber = self.broker.subscriber(
            self._prefix + consumer.subscription.topic,
            group_id=self._prefix + consumer.name,
            batch=True,
            max_records=batch_records,
            batch_timeout_ms=BATCH_WAIT_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            max_poll_interval_ms=POLL_MS_MAX,
            session_timeout_ms=SESSION_MS,
            rebalance_timeout_ms=REBALANCE_MS,
            group_instance_id=self._instance or None,
            listener=drain,
            parser=_mend_headers,
            decoder=_raw_records,
        )
        prefix = self._prefix

        async def handle(records: tuple[ConsumerRecord, ...]) -> None:
            await consumer.handle([_raw(record, prefix) for record in records])

        subscriber(handle)
        if not consumer.subscription.urgent:
            subscriber.get_msg = _gathering(subscriber.get_msg, self._pace)  # type: ignore[method-assign]
        drain.subscriber = subscriber
        return subscriber

    async def start(self) -> None:
        """Returns at once; listens as soon as Kafka can be reached, however long that takes."""
        self._tasks.append(asyncio.create_task(self._start_when_possible(), name="listening"))

    async def _start_when_possible(self) -> None:
        delay_s = 0.2
        while True:
            try:
                await kafka.ensure_topics(self._bootstrap, self._topics, self._replication)
                await kafka.undisturbed(self.broker.start())
                break
            except (KafkaError, OSError) as error:
                log.warning("kafka_away", error=type(error).__name__, retry_s=delay_s)
                await self._stop_broker()  # What has started of it would be forgotten by the next start.
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RETRY_S_MAX)
        self.started.set()
        await self._look_at_lag()

    async def _look_at_lag(self) -> None:
        while True:
            for name, subscriber in self._subscribers.items():
                try:
                    self.away = not await kafka.is_done_within(LOOK_S, self._look(name, subscriber.consumer))
                    if self.away:
                        log.warning("lag_unknown", consumer=name, error="no answer")
                except (KafkaError, PyMongoError, TimeoutError) as error:
                    self.away = not isinstance(error, PyMongoError)
                    log.warning("lag_unknown", consumer=name, error=type(error).__name__)
                except Exception:  # Whoever must know that we are level would never hear of it again.
                    log.exception("lag_unknown", consumer=name)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, name: str, consumer: AIOKafkaConsumer) -> None:
        """What the whole group has not committed yet, whichever process holds the partitions."""
        topic = self._prefix + self._topic_of(name)
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not partitions:
            return
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
        level = True
        for partition, end in ends.items():
            if self._level_at.get((name, partition)) == end:  # Nothing has come since it was level.
                continue
            lag = end - (await consumer.committed(partition) or 0) if end else 0
            if lag <= 0:
                self._level_at[name, partition] = end
            self._metrics.consumer_lag.labels(name, partition.topic, partition.partition).set(lag)
            level = level and lag <= 0
        if level:
            await self.level(name)

    def _topic_of(self, name: str) -> str:
        topics: list[str] = self._subscribers[name].topic_names
        return topics[0].removeprefix(self._prefix)

    @property
    def has_ended(self) -> bool:
        """Without having been asked to."""
        return any(task.done() and not task.cancelled() for task in self._tasks)

    async def stop(self) -> None:
        """Wait for batches in hand, within the grace, then leave the groups."""
        for task in self._tasks:
            await kafka.end(task, at_leisure=True)
        await self._stop_broker()

    async def _stop_broker(self) -> None:
        try:
            in_time = await kafka.is_done_within(GRACE_S + 5, self.broker.stop())
        except (KafkaError, OSError) as error:
            log.warning("listening_not_stopped", error=type(error).__name__)
        else:
            if not in_time:
                log.warning("listening_not_stopped_in_time")


async def _nobody_asks(name: str) -> None:
    return None


class _AckFailures(logging.Handler):
    """The library swallows an offset's failed commit and says so only in its log, as critical."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.CRITICAL)
        self._metrics = metrics

    def emit(self, record: logging.LogRecord) -> None:
        self._metrics.ack_failures_total.inc()


def _gathering(take: Any, pace: Pace) -> Any:
    """The library's way to the next batch, but while commands are served records may gather: at the broker,
    for each answer to a fetch costs as much as many records in it.
    """

    async def gather(client: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
        if not pace.gives_way:
            return await take(client)  # type: ignore[no-any-return]
        client.pause(*client.assignment())
        try:
            await asyncio.sleep(GATHER_S)
        finally:  # Meanwhile others may have been given to us, which are not held up.
            client.resume(*client.assignment())
        return await take(client)  # type: ignore[no-any-return]

    return gather


def _counting_logger(client_id: str, metrics: Metrics) -> logging.Logger:
    logger = logging.getLogger(f"concord.listening.{client_id}")
    logger.handlers = [_AckFailures(metrics)]
    return logger


class _DrainBeforeRebalance(ConsumerRebalanceListener):  # type: ignore[misc]
    """Partitions are given up only after the batch in hand is finished and its offsets are committed."""

    subscriber: Any = None

    async def on_partitions_revoked(self, revoked: Any) -> None:
        deadline = asyncio.get_running_loop().time() + REBALANCE_MS / 2_000
        while not self.subscriber.lock.empty and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def on_partitions_assigned(self, assigned: Any) -> None:
        return None


async def _mend_headers(records: Any, original: Any) -> Any:
    for record in records:
        record.headers = tuple(
            (name, (value or b"").decode("utf-8", "replace").encode()) for name, value in record.headers
        )
    return await original(records)


async def _raw_records(message: Any) -> Any:
    return message.raw_message


def _raw(record: ConsumerRecord, prefix: str) -> RawRecord:
    return RawRecord(
        topic=record.topic.removeprefix(prefix),
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value or b"",
        headers=tuple(record.headers),
    )
