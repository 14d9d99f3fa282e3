"""A service running: what is started in which order, and how it ends.

Start. MongoDB first, because commands need nothing else: with it the committer, the timers and HTTP work.
Kafka is connected to in the background, however long it takes; until then events wait in their log and
`/readyz` says so.

Stop, every step bounded. No new requests; batches in hand are finished; timers and workers end; the committer
writes what it accepted; the relay sends it, writes its position and gives the lease back. What a step cannot
finish in time is what a crash leaves behind, and is taken over in the same way.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from pymongo.errors import PyMongoError

from shared.clock import Clock, MovableClock, SystemClock
from shared.contracts.vocabulary import TOPICS
from shared.errors import Conflict
from shared.ids import new_id
from shared.messaging import parked
from shared.messaging.broker import Listening
from shared.messaging.consumer import Consumer
from shared.messaging.relay import Relay
from shared.messaging.view_follower import ViewFollower
from shared.pace import Pace
from shared.service import Room, Runtime, Worker
from shared.settings import Settings
from shared.storage import event_log, timers, views
from shared.storage.committer import Committer
from shared.storage.documents import create_indexes
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from shared.storage.timers import OnDue, Timer, TimersLoop
from shared.storage.views import View
from shared.telemetry import Metrics, current_traceparent, span_under

CLOCK = "clock"
CLOCK_POLL_S = 0.5
WORKER_STOP_S = 10.0
BOOT_RETRY_S = 0.5
HOUSEKEEPING_S = 3_600.0

log = structlog.get_logger()

Build = Callable[[Runtime, Any], Sequence[Room]]


class Application:
    """One service in one process. `build` is the service's composition root."""

    def __init__(self, name: str, settings: Settings, build: Build, pace: Pace | None = None) -> None:
        self.name = name
        self.settings = settings
        self.metrics = Metrics()
        self.clock: Clock = MovableClock() if settings.demo else SystemClock()
        self.owner = f"{name}@{socket.gethostname()}:{os.getpid()}:{new_id('run')[-8:]}"
        database = f"{settings.mongo_database_prefix}_{name}"
        self.mongo = Mongo(settings.mongo_url, database, driver=settings.mongo_driver)
        lease_ms = round(settings.writer_lease_s * 1_000)
        self.relay = Relay(
            self.mongo, settings.kafka_url, self.owner, settings.kafka_topic_prefix, lease_ms=lease_ms
        )
        self.committer = Committer(
            self.mongo, self.owner, self.relay.on_committed, self.relay.on_new_log, lease_ms=lease_ms
        )
        self.committer.group_sizes = self.metrics.commit_group_size.observe
        self.runtime = Runtime(name, self.mongo, self.clock, self.committer, pace)
        self.rooms = tuple(build(self.runtime, settings))
        self.consumers = {
            consumer.name: consumer
            for room in self.rooms
            for consumer in (Consumer(self.runtime, heard, self.metrics) for heard in room.subscriptions)
        }
        self.listening = Listening(
            list(self.consumers.values()),
            bootstrap=settings.kafka_url,
            client_id=f"concord-{name}",
            metrics=self.metrics,
            topic_prefix=settings.kafka_topic_prefix,
            replication=settings.kafka_replication,
            topics=TOPICS,
            instance=settings.kafka_instance,
            pace=self.runtime.pace,
        )
        self.timers = TimersLoop(
            self.mongo, self.clock, self._deadlines(), self._perform_timer, pace=self.runtime.pace
        )
        self.followers = [self.follower(view) for room in self.rooms for view in room.views]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def follower(self, view: View) -> ViewFollower:
        return ViewFollower(
            self.mongo,
            view,
            bootstrap=self.settings.kafka_url,
            clock=self.clock,
            owner=self.owner,
            topic_prefix=self.settings.kafka_topic_prefix,
            pace=self.runtime.pace,
        )

    def _deadlines(self) -> dict[str, OnDue]:
        found: dict[str, OnDue] = {}
        for room in self.rooms:
            assert found.keys().isdisjoint(room.deadlines), f"two rooms of {self.name} name one deadline"
            found.update(room.deadlines)
        return found

    @property
    def workers(self) -> list[Worker]:
        return [worker for room in self.rooms for worker in room.workers]

    async def start(self) -> None:
        """Ready for commands when it returns; for Kafka's part see `missing`."""
        await self._prepare_storage()
        await self.committer.start()
        await self.relay.start()
        await self.listening.start()
        self._run("timers", self.timers.run())
        self._run("gauges", self._read_gauges())
        self._run("housekeeping", self._keep_house())
        if isinstance(self.clock, MovableClock):
            self._run("demo-clock", self._follow_demo_clock(self.clock))
        for follower in self.followers:
            self._run(f"view-{follower.view.name}", follower.run())
        for worker in self.workers:
            self._run(worker.name, worker.run())
        log.info("service_started", service=self.name, owner=self.owner)

    async def start_for_one_command(self) -> None:
        """Enough to load, decide, save and send: nothing is listened to and no timer fires."""
        await self._prepare_storage()
        await self.committer.start()
        await self.relay.start()

    async def _prepare_storage(self) -> None:
        """Indexes, however long MongoDB takes to come."""
        while True:
            try:
                await event_log.prepare(self.mongo)
                plain = [collection for room in self.rooms for collection in room.collections]
                kept = [repository.documents for room in self.rooms for repository in room.repositories]
                await create_indexes(self.mongo, [*plain, *kept, timers.DOCUMENTS, parked.DOCUMENTS])
                if isinstance(self.clock, MovableClock):
                    await self._read_demo_clock(self.clock)
                return
            except PyMongoError as error:
                log.warning("database_away", error=type(error).__name__, retry_s=BOOT_RETRY_S)
            await asyncio.sleep(BOOT_RETRY_S)

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=f"{self.name}-{name}")
        task.add_done_callback(self._note_end)
        self._tasks.append(task)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)

    def missing(self) -> dict[str, str]:
        """What keeps this service from doing all of its work, part by part; empty when nothing does."""
        found: dict[str, str] = {}
        if not self.listening.started.is_set():
            found["kafka"] = "not connected yet; commands are accepted and their events wait"
        elif self.listening.away:
            found["kafka"] = "does not answer; commands are accepted and their events wait"
        for consumer in self.consumers.values():
            if consumer.blocked_since is not None:
                found[consumer.name] = "blocked: the database cannot be reached"
        return found

    def ended(self) -> dict[str, str]:
        """What has ended without having been asked to, so that only a restart mends it."""
        if self._stopping:
            return {}
        found = {task.get_name(): "has ended" for task in self._tasks if task.done()}
        if self.committer.has_ended:
            found["committer"] = "has ended: nothing is written any more"
        if self.relay.has_ended:
            found["relay"] = "has ended: events are written and not sent"
        if self.listening.has_ended:
            found["listening"] = "has ended"
        return found

    async def stop(self) -> None:
        self._stopping = True
        await self.listening.stop()
        self.timers.stop()
        for follower in self.followers:
            follower.stop()
        for worker in self.workers:
            worker.stop()
        if self._tasks:
            names = {"gauges", "housekeeping", "demo-clock"}
            for task in self._tasks:
                if task.get_name().removeprefix(f"{self.name}-") in names:
                    task.cancel()
            _, late = await asyncio.wait(self._tasks, timeout=WORKER_STOP_S)
            for task in late:
                log.warning("worker_not_stopped_in_time", worker=task.get_name())
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.committer.stop()
        await self.relay.stop()
        await self.mongo.close()
        log.info("service_stopped", service=self.name)

    async def _perform_timer(self, timer: Timer, handler: OnDue) -> None:
        """A due timer as a command: its time is the due time, its cause is the change that set it."""

        async def work(unit: Unit) -> None:
            if await unit.get(timers.TIMERS, timer.id) is None:
                raise Conflict("timer_gone", "It was fired or cancelled meanwhile")
            await handler(timer, unit)

        started = asyncio.get_running_loop().time()
        with span_under(timer.trace, f"timer {timer.kind}", SpanKind.INTERNAL):
            context = self.runtime.system_context(f"timer:{timer.kind}")
            await self.runtime.perform(
                self.runtime.context(
                    context.actor,
                    now=timer.due_at,
                    correlation_id=timer.correlation_id,
                    traceparent=current_traceparent(),
                ),
                work,
            )
        took_ms = round((asyncio.get_running_loop().time() - started) * 1000, 1)
        log.info("timer_fired", kind=timer.kind, subject=timer.subject, duration_ms=took_ms)

    async def _read_gauges(self) -> None:
        while True:
            self.metrics.relay_behind_events.set(self.relay.behind)
            self.metrics.writers_adopted_total.set(self.relay.adopted_total)
            try:
                await self._ask_for_gauges()
            except PyMongoError as error:
                log.warning("gauges_unknown", error=type(error).__name__)
            await asyncio.sleep(1)

    async def _ask_for_gauges(self) -> None:
        now = self.clock.real()
        self.metrics.timers_overdue_s.set(await self.timers.overdue_s())
        written = [await event_log.written_at(self.mongo, place) for place in self.relay.waiting]
        ages_s = [(now - at).total_seconds() for at in written if at is not None]
        self.metrics.relay_behind_s.set(max(ages_s, default=0.0))
        for follower in self.followers:
            live = await views.live(self.mongo, follower.view)
            if live.as_of is not None:
                age_s = (now - live.as_of).total_seconds()
                self.metrics.projection_as_of_age_s.labels(follower.view.name).set(age_s)

    async def _keep_house(self) -> None:
        while True:
            try:
                await event_log.remove_finished(self.mongo)
            except PyMongoError as error:
                log.warning("housekeeping_waits", error=type(error).__name__)
            await asyncio.sleep(HOUSEKEEPING_S)

    async def _follow_demo_clock(self, clock: MovableClock) -> None:
        """Every process of the service shows the same business time, whichever was told to move it."""
        while True:
            await asyncio.sleep(CLOCK_POLL_S)
            try:
                await self._read_demo_clock(clock)
            except PyMongoError as error:
                log.warning("demo_clock_unknown", error=type(error).__name__)

    async def _read_demo_clock(self, clock: MovableClock) -> None:
        document = await self.mongo[CLOCK].find_one({"_id": CLOCK})
        ahead = timedelta(seconds=document["ahead_s"]) if document else timedelta(0)
        if ahead > clock.ahead:
            clock.advance_to(ahead)
