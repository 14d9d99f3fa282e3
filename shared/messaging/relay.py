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
from contextlib import suppress

import structlog
from pymongo.errors import PyMongoError

from shared.messaging import kafka
from shared.messaging.kafka import SharedProducer
from shared.messaging.log_relay import LogRelay
from shared.storage import event_log
from shared.storage.change import Place, SealedEvent
from shared.storage.event_log import LEASE_MS, Fenced, Writer
from shared.storage.mongo import Mongo

ADOPT_EVERY_S = 2.0
DRAIN_S = 20.0

log = structlog.get_logger()


class Relay:
    """The producer, the own log, and the logs taken over."""

    def __init__(
        self, mongo: Mongo, bootstrap: str, owner: str, topic_prefix: str = "", *, lease_ms: int = LEASE_MS
    ) -> None:
        self.adopted_total = 0
        self._mongo = mongo
        self._producer = SharedProducer(bootstrap, f"concord-relay-{owner}")
        self._owner = owner
        self._topic_prefix = topic_prefix
        self._lease_ms = lease_ms
        self._own: LogRelay | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._logs: dict[str, LogRelay] = {}
        self._running: set[asyncio.Task[None]] = set()
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
        if self._own is not None:
            self._leave(self._own)
        self._own = self._follow(self._log_relay(writer))

    def on_committed(self, events: list[SealedEvent]) -> None:
        assert self._own is not None
        self._own.offer(events)

    def _log_relay(self, writer: Writer, known: int = 0) -> LogRelay:
        return LogRelay(self._mongo, writer, self._producer, self._topic_prefix, known)

    def _follow(self, follower: LogRelay) -> LogRelay:
        task = asyncio.create_task(self._run(follower), name=f"relay-{follower.writer.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        self._logs[follower.writer.id], self._tasks[follower.writer.id] = follower, task
        return follower

    def _leave(self, follower: LogRelay) -> None:
        """Only this very following of the log: by now we may be the one who adopted it."""
        follower.leave()
        if self._logs.get(follower.writer.id) is follower:
            del self._logs[follower.writer.id]
            self._tasks.pop(follower.writer.id).cancel()

    async def _run(self, follower: LogRelay) -> None:
        try:
            await follower.run()
            if not follower.has_left:
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
            if former := self._logs.get(adopted.writer.id):
                self._leave(former)
            follower = self._log_relay(adopted.writer, known=adopted.committed)
            follower.end()
            self._follow(follower)

    async def _renew_adopted(self) -> None:
        """Whoever drains a log holds its lease; the own log's is renewed by the committer."""
        for follower in [follower for follower in self._logs.values() if follower is not self._own]:
            try:
                await event_log.renew(self._mongo, follower.writer)
            except Fenced:
                self._leave(follower)

    async def stop(self) -> None:
        """Drain what is known, within bounds, and give the leases back."""
        self._stopping = True
        if self._adopting is not None:
            self._adopting.cancel()
            await asyncio.gather(self._adopting, return_exceptions=True)
        followers = list(self._logs.values())
        for follower in followers:
            follower.end()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=DRAIN_S)
            for follower in followers:
                follower.leave()
            await asyncio.gather(*(kafka.end(task) for task in late))
        for follower in followers:
            if follower.behind:  # For whoever looks next, not for whoever waits for the lease to run out.
                with suppress(PyMongoError):
                    await event_log.give_back(self._mongo, follower.writer, sent=follower.acknowledged)
        await self._producer.close()
