"""One writer's log, followed and sent in its own order.

In windows: events go to the producer without waiting for each answer; windows are acknowledged in order; the
position is written after acknowledgement only. relay.py says how this fits together, and what is not needed
for correctness.
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
from shared.messaging.batches import Batches
from shared.messaging.kafka import SharedProducer
from shared.storage import event_log
from shared.storage.change import SealedEvent
from shared.storage.event_log import Writer
from shared.storage.mongo import Mongo
from shared.telemetry import send_span

WINDOW_EVENTS = 1_000
WINDOWS_IN_FLIGHT = 4
MEMORY_EVENTS_MAX = 10_000
MEMORY_BYTES_MAX = 16 * 1024 * 1024
# Others may wait for our position, so it must not be old; a write for every acknowledgement would be dear.
POSITION_EVERY_S = 0.02
PREDECESSOR_POLL_S = 0.02
RETRY_S = 0.5

log = structlog.get_logger()


@dataclass
class _Window:
    last: int
    answers: list[asyncio.Future[Any]] = field(default_factory=list)


class LogRelay:
    """Sends one log. `known` is how many events the log has, as far as we have been told."""

    def __init__(
        self, mongo: Mongo, writer: Writer, shared_producer: SharedProducer, topic_prefix: str, known: int = 0
    ) -> None:
        self.writer = writer
        self.known = known
        self.sent = 0
        self.acknowledged = 0
        self._mongo = mongo
        self._shared = shared_producer
        self._topic_prefix = topic_prefix
        self._memory: deque[SealedEvent] = deque()
        self._memory_bytes = 0
        self._in_flight: deque[_Window] = deque()
        self._more = asyncio.Event()
        self._ending = False
        self.has_left = False
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

    def leave(self) -> None:
        """The rest is for somebody else to send: return from `run` wherever this stands."""
        self.has_left = True
        self._more.set()

    @property
    def behind(self) -> int:
        return self.known - self.acknowledged

    async def run(self) -> None:
        """Until ended and drained, or left. Cancelling is quicker than leaving, but may go unheard in the
        client.
        """
        await self._start_from_position()
        while not self.has_left and not (self._ending and self.behind == 0):
            try:
                await self._go_on()
            except PyMongoError as error:
                log.warning("relay_waits_for_database", writer=self.writer.id, error=type(error).__name__)
                await self._go_back()
                await asyncio.sleep(RETRY_S)
            except KafkaError as error:
                log.warning("relay_producer_failed", writer=self.writer.id, error=type(error).__name__)
                await self._go_back()
                await self._shared.replace(self._producer)
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
        if self.sent == self.known and not self._in_flight and not self._ending and not self.has_left:
            await self._wait_for_more()

    async def _wait_for_more(self) -> None:
        self._more.clear()
        if self.sent < self.known or self._ending or self.has_left:
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
        producer = self._producer = await self._shared.get()
        batches = Batches(producer, self._topic_prefix)
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


def _seq(event: SealedEvent) -> int:
    assert event.place is not None
    return event.place.seq
