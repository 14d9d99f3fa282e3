"""The relay: follows writer logs and sends their events, each log in its own order.

Who is who. A `LogRelay` follows one log. This process's own log comes straight from memory, handed over right
after each commit; when it falls behind, or for a log it took over from a dead process, it reads the
collection. `Relay` owns the producer, the own log's relay, and looks for logs whose lease ran out.

What happens in order. Events go to the producer in windows, without waiting for each answer; windows are
acknowledged in order; the position is written after acknowledgement only. A crash therefore repeats at most
what was in flight, and skips nothing.

Order across processes. An event names its predecessor's place in its stream. When that lies in another log
that has not been sent so far, everything of our own in flight is flushed, our position is written, and only
then do we wait: without that, two relays could wait for each other. A log that is no longer known was drained
before it was forgotten.

What is not needed for correctness: leases (the epoch fences), memory (the collection has it), prompt
positions (repeats are dropped by consumers). After a failure that the producer cannot recover from,
everything goes again from the last acknowledged place.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pymongo.errors import PyMongoError

from shared import fault
from shared.messaging import kafka
from shared.messaging.batches import Batches
from shared.storage import event_log
from shared.storage.change import Place, SealedEvent
from shared.storage.event_log import LEASE_MS, Fenced, Writer
from shared.storage.mongo import Mongo
from shared.telemetry import send_span

WINDOW_EVENTS = 1_000
WINDOWS_IN_FLIGHT = 4
MEMORY_EVENTS_MAX = 10_000
MEMORY_BYTES_MAX = 16 * 1024 * 1024
# Others may wait for our position, so it must not be old; a write for every acknowledgement would be dear.
POSITION_EVERY_S = 0.02
ADOPT_EVERY_S = 2.0
PREDECESSOR_POLL_S = 0.02
RETRY_S = 0.5
DRAIN_S = 20.0

log = structlog.get_logger()


@dataclass
class _Window:
    last: int
    answers: list[asyncio.Future[Any]] = field(default_factory=list)


class LogRelay:
    """Sends one log. `known` is how many events the log has, as far as we have been told."""

    def __init__(self, mongo: Mongo, writer: Writer, send_to: "Relay", known: int = 0) -> None:
        self.writer = writer
        self.known = known
        self.sent = 0
        self.acknowledged = 0
        self._mongo = mongo
        self._relay = send_to
        self._memory: deque[SealedEvent] = deque()
        self._memory_bytes = 0
        self._in_flight: deque[_Window] = deque()
        self._more = asyncio.Event()
        self._ending = False
        self._written = 0
        self._written_at = 0.0
        self._elsewhere: dict[str, int | None] = {}
        self._producer: AIOKafkaProducer | None = None

    def offer(self, events: list[SealedEvent]) -> None:
        """Events just committed to this log, in order. Beyond the memory's limit they are read back later."""
        assert events[-1].place is not None
        self.known = events[-1].place.seq
        self._memory_bytes += sum(len(event.body) for event in events)
        if len(self._memory) + len(events) <= MEMORY_EVENTS_MAX and self._memory_bytes <= MEMORY_BYTES_MAX:
            self._memory.extend(events)
        else:
            self._forget()
        self._more.set()

    def _forget(self) -> None:
        self._memory.clear()
        self._memory_bytes = 0

    def _recall(self) -> SealedEvent:
        event = self._memory.popleft()
        self._memory_bytes -= len(event.body)
        return event

    def end(self) -> None:
        """No more will come: return from `run` once everything known has been sent."""
        self._ending = True
        self._more.set()

    @property
    def behind(self) -> int:
        return self.known - self.acknowledged

    async def run(self) -> None:
        """Until ended and drained, fenced, or cancelled."""
        await self._start_from_position()
        while not (self._ending and self.behind == 0):
            try:
                await self._go_on()
            except PyMongoError as error:
                log.warning("relay_waits_for_database", writer=self.writer.id, error=type(error).__name__)
                await self._go_back()
                await asyncio.sleep(RETRY_S)
            except KafkaError as error:
                log.warning("relay_producer_failed", writer=self.writer.id, error=type(error).__name__)
                await self._go_back()
                await self._relay.replace_producer(self._producer)
            except Exception:
                # Nobody else would send this log while its lease is renewed, so it is never left standing.
                log.exception("relay_failed", writer=self.writer.id)
                await self._go_back()
                await asyncio.sleep(RETRY_S)
        await self._write_position()

    async def _start_from_position(self) -> None:
        while True:
            try:
                position = await event_log.position(self._mongo, self.writer.id)
                break
            except PyMongoError:
                await asyncio.sleep(RETRY_S)
        self.sent = self.acknowledged = self._written = position or 0

    async def _go_on(self) -> None:
        if self.sent < self.known:
            await self._send(await self._next_events())
        while self._in_flight and (len(self._in_flight) > WINDOWS_IN_FLIGHT or self.sent == self.known):
            await self._acknowledge()
        if self.sent == self.known and not self._in_flight and not self._ending:
            await self._wait_for_more()

    async def _wait_for_more(self) -> None:
        self._more.clear()
        if self.sent < self.known or self._ending:
            return
        if self.acknowledged > self._written:
            with suppress(TimeoutError):
                async with asyncio.timeout(POSITION_EVERY_S):
                    await self._more.wait()
            await self._write_position_when_due()
        else:
            await self._more.wait()

    async def _next_events(self) -> list[SealedEvent]:
        """The next window: from memory where that continues what was sent, else from the collection."""
        while self._memory and _seq(self._memory[0]) <= self.sent:
            self._recall()
        if self._memory and _seq(self._memory[0]) == self.sent + 1:
            count = min(WINDOW_EVENTS, len(self._memory))
            return [self._recall() for _ in range(count)]
        up_to = min(self.known, self.sent + WINDOW_EVENTS)
        events = await event_log.read_log(self._mongo, self.writer.id, self.sent, up_to)
        if not events:  # Committed a moment ago and not yet readable at majority.
            await asyncio.sleep(PREDECESSOR_POLL_S)
        return events

    async def _send(self, events: list[SealedEvent]) -> None:
        producer = self._producer = await self._relay.producer()
        batches = Batches(producer, self._relay.topic_prefix)
        with send_span(events):
            for event in events:
                if await self._must_wait(event):
                    await self._hand_over(batches)
                    await self._flush()
                    await self._wait_for(event)
                await batches.add(event)
                self.sent = _seq(event)
            await self._hand_over(batches)
        fault.point("relay.after_send")

    async def _hand_over(self, batches: Batches) -> None:
        """What was put together so far becomes a window of its own."""
        window = _Window(self.sent)
        self._in_flight.append(window)
        try:
            await batches.hand_over()
        finally:
            window.answers, batches.answers = batches.answers, []

    async def _must_wait(self, event: SealedEvent) -> bool:
        """True where the event before it in its stream lies in another log and is not known to be sent."""
        if event.prev is None or event.prev.writer == self.writer.id:
            return False
        return not await self._is_sent(*event.prev)

    async def _wait_for(self, event: SealedEvent) -> None:
        assert event.prev is not None
        while not await self._is_sent(*event.prev):  # noqa: ASYNC110 (the position is another process's)
            await asyncio.sleep(PREDECESSOR_POLL_S)

    async def _is_sent(self, writer: str, seq: int) -> bool:
        known = self._elsewhere.get(writer, 0)
        if known is not None and known < seq:
            known = self._elsewhere[writer] = await event_log.position(self._mongo, writer)
        return known is None or known >= seq

    async def _flush(self) -> None:
        while self._in_flight:
            await self._acknowledge()
        await self._write_position()

    async def _acknowledge(self) -> None:
        window = self._in_flight[0]
        if window.answers:
            await asyncio.gather(*window.answers)
        fault.point("relay.after_ack")
        self._in_flight.popleft()
        self.acknowledged = max(self.acknowledged, window.last)
        await self._write_position_when_due()

    async def _write_position_when_due(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._written_at >= POSITION_EVERY_S:
            await self._write_position()
            self._written_at = now

    async def _write_position(self) -> None:
        if self.acknowledged > self._written:
            await event_log.move_position(self._mongo, self.writer.id, self.acknowledged)
            self._written = self.acknowledged

    async def _go_back(self) -> None:
        """Everything after the last acknowledged event goes again, from the collection."""
        for window in self._in_flight:
            for answer in window.answers:
                answer.cancel()
            await asyncio.gather(*window.answers, return_exceptions=True)
        self._in_flight.clear()
        self._forget()
        self.sent = self.acknowledged


class Relay:
    """The producer, the own log, and the logs taken over."""

    def __init__(
        self, mongo: Mongo, bootstrap: str, owner: str, topic_prefix: str = "", *, lease_ms: int = LEASE_MS
    ) -> None:
        self.topic_prefix = topic_prefix
        self.adopted_total = 0
        self._mongo = mongo
        self._bootstrap = bootstrap
        self._owner = owner
        self._lease_ms = lease_ms
        self._own: LogRelay | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._logs: dict[str, LogRelay] = {}
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._adopting: asyncio.Task[None] | None = None
        self._failed = self._stopping = False

    @property
    def behind(self) -> int:
        return sum(follower.behind for follower in self._logs.values())

    @property
    def has_ended(self) -> bool:
        """Without having been asked to: somebody's events would wait for a restart."""
        return self._failed or (self._adopting is not None and self._adopting.done() and not self._stopping)

    @property
    def waiting(self) -> list[Place]:
        """Of each log the first event that was not acknowledged yet."""
        behind = (follower for follower in self._logs.values() if follower.behind)
        return [Place(follower.writer.id, follower.acknowledged + 1) for follower in behind]

    async def start(self) -> None:
        self._adopting = asyncio.create_task(self._look_for_logs(), name="relay-adopting")

    async def on_new_log(self, writer: Writer) -> None:
        """The committer writes under a new id. Its former log is left to whoever adopts it: a commit whose
        outcome was unknown may have made it longer than we know, so it is not ours to call drained.
        """
        own = self._own
        # Only our own following of it: by now we may be the one who adopted it.
        if own is not None and self._logs.get(own.writer.id) is own:
            del self._logs[own.writer.id]
            self._tasks.pop(own.writer.id).cancel()
        self._own = self._follow(LogRelay(self._mongo, writer, self))

    def on_committed(self, events: list[SealedEvent]) -> None:
        assert self._own is not None
        self._own.offer(events)

    def _follow(self, follower: LogRelay) -> LogRelay:
        self._logs[follower.writer.id] = follower
        self._tasks[follower.writer.id] = asyncio.create_task(
            self._run(follower), name=f"relay-{follower.writer.id}"
        )
        return follower

    async def _run(self, follower: LogRelay) -> None:
        try:
            await follower.run()
            await event_log.give_back(self._mongo, follower.writer, sent=follower.acknowledged)
        except PyMongoError as error:
            log.warning("log_not_given_back", writer=follower.writer.id, error=type(error).__name__)
        except Exception:
            self._failed = True
            log.exception("log_not_followed", writer=follower.writer.id)
        finally:
            # A log may be followed anew, under a higher epoch, before its former follower has ended.
            if self._logs.get(follower.writer.id) is follower:
                del self._logs[follower.writer.id], self._tasks[follower.writer.id]

    async def producer(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                self._producer = await kafka.start_when_possible(
                    self._bootstrap, f"concord-relay-{self._owner}"
                )
            return self._producer

    async def replace_producer(self, failed: AIOKafkaProducer | None) -> None:
        """Unless another follower has replaced it already: they share one."""
        async with self._starting:
            if failed is None or self._producer is not failed:
                return
            self._producer = None
        await kafka.stop_within_bounds(failed)

    async def _look_for_logs(self) -> None:
        loop = asyncio.get_running_loop()
        renewed_at = loop.time()
        renew_every_s = event_log.renew_every_s(self._lease_ms)
        while True:
            try:
                if loop.time() - renewed_at >= renew_every_s:
                    renewed_at = loop.time()
                    await self._renew_adopted()
                # Last: a log that cannot be had yet must not cost us those that we have.
                await self._adopt_all()
            except PyMongoError as error:
                log.warning("adoption_waits", error=type(error).__name__)
            await asyncio.sleep(min(ADOPT_EVERY_S, renew_every_s))

    async def _adopt_all(self) -> None:
        while adopted := await event_log.adopt_next(self._mongo, self._owner, self._lease_ms):
            log.info("log_adopted", writer=adopted.writer.id, committed=adopted.committed)
            self.adopted_total += 1
            if former := self._tasks.get(adopted.writer.id):
                former.cancel()
            follower = LogRelay(self._mongo, adopted.writer, self, known=adopted.committed)
            follower.end()
            self._follow(follower)

    async def _renew_adopted(self) -> None:
        """Whoever drains a log holds its lease; the own log's is renewed by the committer."""
        for follower in [follower for follower in self._logs.values() if follower is not self._own]:
            try:
                await event_log.renew(self._mongo, follower.writer)
            except Fenced:
                if task := self._tasks.get(follower.writer.id):
                    task.cancel()

    async def stop(self) -> None:
        """Drain what is known, within bounds, and give the leases back."""
        self._stopping = True
        if self._adopting is not None:
            self._adopting.cancel()
            await asyncio.gather(self._adopting, return_exceptions=True)
        followers = list(self._logs.values())
        for follower in followers:
            follower.end()
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=DRAIN_S)
            await asyncio.gather(*(kafka.end(task) for task in late))
        for follower in followers:
            if follower.behind:  # For whoever looks next, not for whoever waits for the lease to run out.
                with suppress(PyMongoError):
                    await event_log.give_back(self._mongo, follower.writer, sent=follower.acknowledged)
        if self._producer is not None:
            await kafka.stop_within_bounds(self._producer)
            self._producer = None


def _seq(event: SealedEvent) -> int:
    assert event.place is not None
    return event.place.seq
