"""Keeps views level with their topics, and rebuilds them beside what is read.

A follower reads every partition of the view's topics itself, from the positions that are stored with the
rows; a consumer group's offsets would be a second truth. One process at a time follows the live generation; a
rebuild may run anywhere.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from shared.clock import Clock
from shared.contracts import catalogue
from shared.contracts.envelope import Unreadable, open_envelope
from shared.errors import Conflict
from shared.messaging import kafka
from shared.messaging.subscription import Received
from shared.pace import Pace
from shared.storage import views
from shared.storage.mongo import Mongo
from shared.storage.views import Fact, Stretch, View

HOLD_MS = 10_000
HOLD_EVERY_S = 2.0
POLL_MS = 200
RECORDS_MAX = 2_000
RETRY_S = 1.0
METADATA_MS = 30_000
# What the brokers hold is asked for this often, for the time up to which a view is level.
LEVEL_EVERY_S = 1.0
ENDS_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True)
class _Goal:
    """The ends of the partitions at a moment: once they are read, the view has seen all there was then. Under
    steady writing there is always something newer, so being level means having reached a goal, not having
    nothing left.
    """

    ends: Mapping[TopicPartition, int]
    set_at: datetime
    set_at_s: float


@dataclass
class _Reader:
    """Where a generation is read. `due`: per partition the offset that the stored position says is next; the
    next record may lie further on, since not every offset is a record's.
    """

    kafka: AIOKafkaConsumer
    generation: int
    due: dict[TopicPartition, int]

    async def set_goal(self, now: datetime) -> _Goal:
        """The brokers are asked: what they said last may be old."""
        set_at_s = asyncio.get_running_loop().time()
        async with asyncio.timeout(ENDS_S):
            return _Goal(await self.kafka.end_offsets(list(self.due)), now, set_at_s)

    async def has_reached(self, goal: _Goal) -> bool:
        return all([await self.kafka.position(partition) >= end for partition, end in goal.ends.items()])

    @property
    def has_new_partitions(self) -> bool:
        topics = {partition.topic for partition in self.due}
        return sum(len(self.kafka.partitions_for_topic(topic) or ()) for topic in topics) > len(self.due)


class ViewFollower:
    def __init__(
        self,
        mongo: Mongo,
        view: View,
        *,
        bootstrap: str,
        clock: Clock,
        owner: str,
        topic_prefix: str = "",
        pace: Pace | None = None,
    ) -> None:
        self.view = view
        self._mongo = mongo
        self._bootstrap = bootstrap
        self._clock = clock
        self._owner = owner
        self._prefix = topic_prefix
        self._pace = pace or Pace()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Follow the live generation whenever it is ours to follow, until stopped."""
        while not self._stopping.is_set():
            try:
                if await views.hold(self._mongo, self.view, self._owner, HOLD_MS):
                    await self._follow_live()
                else:
                    await self._pause(HOLD_EVERY_S)
            except (KafkaError, PyMongoError, Conflict, OSError) as error:
                log.warning("view_waits", view=self.view.name, error=type(error).__name__)
                await self._pause(RETRY_S)
            except asyncio.CancelledError:
                if kafka.is_ours_to_end():
                    raise
                log.warning("view_waits", view=self.view.name, error="the client gave up")
                await self._pause(RETRY_S)
            except Exception:
                # A projection has a bug. Readers see by `as_of` that it stands; the others go on.
                log.exception("view_failed", view=self.view.name)
                await self._pause(RETRY_S)

    def stop(self) -> None:
        self._stopping.set()

    async def rebuild(self) -> int:
        """Fill the next generation from the first record on, then point readers at it. Returns the
        generation.
        """
        former = (await views.live(self._mongo, self.view)).generation
        fresh = former + 1
        while (goal := await self._filled(fresh)) is None:
            await self._pause(RETRY_S)
        await views.point_at(self._mongo, self.view, fresh, goal.set_at)
        # The former one stays until the next rebuild: somebody may be in the middle of reading it.
        await views.drop(self._mongo, self.view, former - 1)
        return fresh

    async def _filled(self, generation: int) -> _Goal | None:
        """None: not now. A rebuild that was killed in the middle of a transaction may hold what is to be
        written; the server lets go of it by itself, within a minute or so.
        """
        reader = await self._reader(generation)
        try:
            return await self._catch_up(reader)
        except (KafkaError, PyMongoError, Conflict, OSError) as error:
            log.warning("view_waits", view=self.view.name, error=type(error).__name__)
            return None
        finally:
            await kafka.undisturbed(reader.kafka.stop())

    async def _catch_up(self, reader: _Reader) -> _Goal:
        """Goal after goal, until one is reached so soon that readers will notice nothing."""
        while True:
            goal = await reader.set_goal(self._clock.real())
            while not await reader.has_reached(goal):
                await self._read_some(reader)
            if asyncio.get_running_loop().time() - goal.set_at_s < LEVEL_EVERY_S:
                return goal

    async def _follow_live(self) -> None:
        """One generation, until the pointer moves, somebody else holds the view, or we are stopped."""
        generation = (await views.live(self._mongo, self.view)).generation
        reader = await self._reader(generation)
        loop = asyncio.get_running_loop()
        held_at = loop.time()
        try:
            goal = await reader.set_goal(self._clock.real())
            while not self._stopping.is_set():
                await self._read_some(reader)
                if await reader.has_reached(goal) and loop.time() - goal.set_at_s > LEVEL_EVERY_S:
                    await views.read_up_to(self._mongo, self.view, generation, goal.set_at)
                    goal = await reader.set_goal(self._clock.real())
                if loop.time() - held_at > HOLD_EVERY_S:
                    held_at = loop.time()
                    if reader.has_new_partitions or not await self._still_ours(generation):
                        return
        finally:
            await kafka.undisturbed(reader.kafka.stop())

    async def _still_ours(self, generation: int) -> bool:
        if (await views.live(self._mongo, self.view)).generation != generation:
            return False
        return await views.hold(self._mongo, self.view, self._owner, HOLD_MS)

    async def _reader(self, generation: int) -> "_Reader":
        """A consumer without a group, standing where this generation stopped."""
        await views.prepare(self._mongo, self.view, generation)
        reader = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="none",
            metadata_max_age_ms=METADATA_MS,
        )
        try:
            await kafka.undisturbed(reader.start())
            partitions = await self._partitions()
            for partition in partitions:
                topic = partition.topic.removeprefix(self._prefix)
                await views.begin_partition(self._mongo, self.view, generation, topic, partition.partition)
            reader.assign(partitions)
            stored = await views.positions(self._mongo, self.view, generation)
            due = {p: stored[p.topic.removeprefix(self._prefix), p.partition] for p in partitions}
            for partition, offset in due.items():
                reader.seek(partition, offset)
        except BaseException:
            await kafka.undisturbed(reader.stop())
            raise
        return _Reader(reader, generation, due)

    async def _partitions(self) -> list[TopicPartition]:
        found: list[TopicPartition] = []
        for topic in self.view.topics:
            partitions = await kafka.partitions_of(self._bootstrap, self._prefix + topic)
            if not partitions:
                raise KafkaError(f"{topic} is not there yet")
            found.extend(partitions)
        return found

    async def _read_some(self, reader: "_Reader") -> None:
        batch: Mapping[TopicPartition, list[ConsumerRecord]] = await reader.kafka.getmany(
            timeout_ms=POLL_MS, max_records=RECORDS_MAX
        )
        for partition, records in batch.items():
            async with self._pace.turn(f"view {self.view.name}"):
                await self._apply(reader, partition, records)

    async def _apply(
        self, reader: "_Reader", partition: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> None:
        topic = partition.topic.removeprefix(self._prefix)
        stretch = Stretch(
            topic=topic,
            partition=partition.partition,
            due=reader.due[partition],
            next=records[-1].offset + 1,
            facts=[self._fact(topic, record) for record in records],
        )
        await views.apply(self._mongo, self.view, reader.generation, stretch)
        reader.due[partition] = stretch.next

    def _fact(self, topic: str, record: ConsumerRecord) -> Fact:
        """What cannot be read is parked by the consumers, which are told apart per aggregate; a view passes
        over it.
        """
        try:
            envelope = open_envelope(record.value or b"")
            known: Any = catalogue.EVENTS.get(envelope.type)
            event = catalogue.event_of(envelope) if known in self.view.project else None
        except Unreadable as unreadable:
            log.warning(
                "view_passes_over", view=self.view.name, reason=unreadable.reason, offset=record.offset
            )
            return Fact(None, None)
        received = Received(
            envelope=envelope,
            body=record.value,
            topic=topic,
            partition=record.partition,
            offset=record.offset,
        )
        return Fact(received, event)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
