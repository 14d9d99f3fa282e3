"""Consumers: a batch of records becomes one transaction, and only then are the offsets committed.

What happens in order. FastStream hands over a batch and the raw records with it. While commands are served it
waits for its turn, and is taken in parts (shared/pace.py). Each record is opened; the
watermarks of its aggregates are read at once. Handlers stage their effects in one unit, in order. Effects,
watermarks, parked messages and new timers are committed together: through the committer when the unit writes
events, else in a transaction of its own. FastStream then commits the offsets. A crash in between brings the
batch again, and the watermark drops it.

The watermark is the only deduplication: per consumer and aggregate the last version seen, moved by a write
that expects the former one. Parking relies on it by a write as well. Two processes that handle one aggregate
at once (a rebalance, a replay) meet there, and the later one decides anew.

What is wrong with a message parks it; what is wrong with the world (the database is away, a document is
locked) blocks the consumer until it passes, because nothing else would succeed either. When a batch fails,
its records go one by one, so that only the guilty one is parked.

What waited for a missing version is handled before the batch that brought it is acknowledged. Whether
something waits is read from what is stored, so a crash between the two only brings the batch again.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from pymongo.errors import PyMongoError

from shared import fault
from shared.context import Actor, system_actor
from shared.contracts.envelope import Unreadable
from shared.errors import Conflict, Locked, Transient, Unavailable
from shared.messaging import parked, watermarks
from shared.messaging.opening import Opened, opened
from shared.messaging.parked import Head, RawRecord
from shared.messaging.subscription import Received, Subscription
from shared.messaging.watermarks import NOTHING, Seen
from shared.service import Runtime
from shared.storage.change import Change
from shared.storage.committer import write_alone
from shared.storage.mongo import CommitUnknown, is_passing
from shared.storage.repository import Unit
from shared.telemetry import Metrics, current_traceparent, parse_traceparent, span_under

ATTEMPTS = 5
ATTEMPT_DELAY_S = 0.1
BLOCKED_DELAY_S_MAX = 5.0
CONFLICTS_MAX = 20
# A handler that waits for nothing keeps the process from answering anybody: every so many records it lets go.
LET_OTHERS_EVERY = 16
# While commands are served, a turn is no longer than this many records take.
TURN_RECORDS_MAX = 100
LOCKED_DELAY_S = 0.2

log = structlog.get_logger()


@dataclass
class _State:
    """What is stored about the aggregates of a batch, and what the batch makes of it."""

    stored: dict[str, Seen]
    seen: dict[str, Seen]
    heads: dict[str, Head]
    # Aggregates of which something was parked because of the version seen last.
    held: set[str] = field(default_factory=set)

    @property
    def unblocked(self) -> list[str]:
        """Aggregates whose parked messages waited for a version that has now been seen."""
        return [
            subject
            for subject, head in self.heads.items()
            if head.reason == "gap" and head.version <= self.seen.get(subject, NOTHING).version + 1
        ]


class Consumer:
    """One subscription of one service."""

    def __init__(self, runtime: Runtime, subscription: Subscription, metrics: Metrics) -> None:
        self.name = f"concord.{runtime.name}.{subscription.purpose}"
        self.subscription = subscription
        self.blocked_since: float | None = None
        self._runtime = runtime
        self._metrics = metrics
        self._handlers = {event.type: handler for event, handler in subscription.handlers.items()}

    async def handle(self, records: Sequence[RawRecord]) -> None:
        """Return once every record has had its effect or is parked. Raises nothing but cancellation."""
        rest = [record for record in records if self.subscription.concerns(record.key)]
        while rest:
            async with self._turn():
                count = TURN_RECORDS_MAX if self._runtime.pace.gives_way else len(rest)
                await self._handle_some(rest[:count])
            del rest[:count]

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self.subscription.urgent else self._runtime.pace.turn(self.name)

    async def _handle_some(self, records: Sequence[RawRecord]) -> None:
        started, batch = time.perf_counter(), []
        for number, record in enumerate(records, 1):
            batch.append(opened(record))
            if number % LET_OTHERS_EVERY == 0:
                await asyncio.sleep(0)
        if await self._try(batch) is not None:
            for one in batch:
                await self._alone(one)
        self._metrics.events_consumed_total.labels(self.name).inc(len(batch))
        log.info(
            "batch_consumed",
            consumer=self.name,
            records=len(batch),
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )

    async def _try(self, batch: Sequence[Opened]) -> Exception | None:
        """The batch as one change. An error: a handler failed with it, so the records must go alone."""
        delay_s, conflicts = ATTEMPT_DELAY_S, 0
        while True:
            try:
                unblocked = await self._once(batch)
                self.blocked_since = None
                for subject in unblocked:
                    await self._replay_gap(subject)
                return None
            except Locked:
                await asyncio.sleep(random.uniform(0, LOCKED_DELAY_S))  # noqa: S311
            except Conflict as conflict:  # Another process was at one of these aggregates: read again.
                conflicts += 1
                if conflicts == CONFLICTS_MAX:
                    return conflict
                await asyncio.sleep(random.uniform(0, 0.005 * conflicts))  # noqa: S311
            except Exception as error:
                if not _world_is_wrong(error):
                    return error
                self.blocked_since = self.blocked_since or time.monotonic()
                log.warning("consumer_blocked", consumer=self.name, error=type(error).__name__)
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, BLOCKED_DELAY_S_MAX)

    async def _alone(self, one: Opened) -> None:
        """A record that may be the guilty one: a few attempts, then it is parked."""
        for attempt in range(ATTEMPTS):
            error = await self._try([one])
            if error is None:
                return
            await asyncio.sleep(ATTEMPT_DELAY_S * 2**attempt)
        log.error("message_not_handled", consumer=self.name, place=one.record.place, exc_info=error)
        reason = Unreadable("handler_failed", f"{type(error).__name__}: {error}")
        given_up = replace(one, received=None, unreadable=reason)
        while await self._try([given_up]) is not None:  # Going on without having parked it would lose it.
            self.blocked_since = self.blocked_since or time.monotonic()
            log.error("message_not_parked", consumer=self.name, place=one.record.place)
            await asyncio.sleep(BLOCKED_DELAY_S_MAX)

    async def _replay_gap(self, subject: str) -> None:
        """What waited for a version that has now come, up to the next gap or the first that fails."""
        conflicts = 0
        while True:
            try:
                await self.replay(subject, actor=system_actor(self.name), why="the missing version came")
                return
            except Unreadable:
                return
            except Exception as error:
                if _world_is_wrong(error):
                    raise
                conflicts += 1
                if not isinstance(error, Conflict) or conflicts == CONFLICTS_MAX:
                    await self._note_failure(subject, error)
                    return

    async def _note_failure(self, subject: str, error: Exception) -> None:
        log.error("message_not_handled", consumer=self.name, subject=subject, exc_info=error)
        document = await parked.first_of(self._runtime.mongo, self.name, subject)
        if document is not None:
            change = Change()
            parked.failed_again(change, document["_id"], "handler_failed", f"{type(error).__name__}: {error}")
            await write_alone(self._runtime.mongo, change)

    async def _once(self, batch: Sequence[Opened]) -> Sequence[str]:
        unit, state = await self._stage(batch)
        if unit.change.aggregates:
            await self._runtime.committer.commit(unit.change)
        else:
            await write_alone(self._runtime.mongo, unit.change)
        fault.point("consumer.after_commit")
        await self._runtime.committed(unit)
        return state.unblocked

    async def _stage(self, batch: Sequence[Opened]) -> tuple[Unit, _State]:
        unit = Unit(self._runtime.mongo, self._runtime.system_context(self.name))
        state = await self._read_state({one.subject for one in batch})
        if self.subscription.prefetch is not None:
            received = [one.received for one in batch if one.received]
            for collection, ids in self.subscription.prefetch(received).items():
                await unit.prefetch(collection, ids)
        for number, one in enumerate(batch):
            await self._stage_one(unit, one, state)
            if number % LET_OTHERS_EVERY == 0:
                await asyncio.sleep(0)
        self._stage_watermarks(unit, state)
        return unit, state

    async def _read_state(self, subjects: set[str]) -> _State:
        """The heads first: one that is gone when the watermarks are read has moved its watermark before."""
        heads = await parked.heads(self._runtime.mongo, self.name, subjects)
        stored = await watermarks.read(self._runtime.mongo, self.name, subjects)
        return _State(stored, dict(stored), heads)

    def _stage_watermarks(self, unit: Unit, state: _State) -> None:
        for subject in state.seen.keys() | state.held:
            before, now = state.stored.get(subject), state.seen.get(subject, NOTHING)
            if before != now or subject in state.held:
                watermarks.move(unit.change, self.name, subject, before, now)

    async def _stage_one(self, unit: Unit, one: Opened, state: _State) -> None:
        head = state.heads.get(one.subject)
        seen = state.seen.get(one.subject, NOTHING)
        if one.version and seen.is_repeated_by(one):
            self._metrics.duplicates_dropped_total.labels(self.name).inc()
        elif one.unreadable is not None:
            await self._park(unit, one, state, one.unreadable.reason, str(one.unreadable))
        elif one.version == seen.version:
            await self._park(unit, one, state, "other_content", "this version was seen with other content")
        elif head is not None and head.reason != "gap":
            await self._park(unit, one, state, "behind", f"waits behind {head.id}")
        elif one.version > seen.version + 1:
            await self._park(unit, one, state, "gap", f"version {seen.version + 1} has not been seen")
        else:
            await self._effect(unit, one)
            state.seen[one.subject] = watermarks.seen(one)

    async def _park(self, unit: Unit, one: Opened, state: _State, reason: str, error: str) -> None:
        id = f"{self.name}|{one.record.place}"
        if (
            await unit.get(parked.PARKED, id) is not None
        ):  # It came again; what became of it is its own history.
            return
        head, own = state.heads.get(one.subject), Head(id=id, reason=reason, version=one.version)
        if head is not None and (parked.PARKED, head.id) not in unit.change.puts:
            parked.wait_behind(unit, head.id)
        if head is None or (head.reason == reason == "gap" and own.version < head.version):
            state.heads[one.subject] = own
        if one.version:
            state.held.add(one.subject)
        at = self._runtime.clock.real()
        parked.park(
            unit,
            id,
            self.name,
            one.record,
            one.subject,
            version=one.version,
            reason=reason,
            error=error,
            at=at,
        )
        self._metrics.parked_total.labels(self.name, reason).inc()
        log.warning("message_parked", consumer=self.name, place=one.record.place, reason=reason)

    async def _effect(self, unit: Unit, one: Opened) -> None:
        assert one.received is not None
        envelope = one.received.envelope
        traced = parse_traceparent(envelope.traceparent)
        if traced is None or not traced.trace_flags.sampled:
            await self._call(unit, one, one.received, envelope.traceparent)
            return
        with span_under(
            envelope.traceparent,
            f"process {one.received.topic}",
            SpanKind.CONSUMER,
            **{
                "messaging.system": "kafka",
                "messaging.operation.name": "process",
                "messaging.message.id": envelope.id,
                "messaging.consumer.group.name": self.name,
            },
        ):
            await self._call(unit, one, one.received, current_traceparent())

    async def _call(self, unit: Unit, one: Opened, received: Received, traceparent: str | None) -> None:
        envelope = received.envelope
        unit.context = replace(
            unit.context,
            correlation_id=envelope.correlationid,
            causation_id=envelope.id,
            traceparent=traceparent,
        )
        handler = self._handlers.get(envelope.type)
        if handler is not None and one.event is not None:
            await handler(one.event, received, unit)
        if self.subscription.on_every is not None:
            await self.subscription.on_every(received, unit)

    async def replay(self, subject: str, *, actor: Actor, why: str) -> int:
        """Handle what is parked of one aggregate, in order, one at a time; stop at the first that fails
        again.
        """
        done = conflicts = 0
        while document := await parked.first_of(self._runtime.mongo, self.name, subject):
            try:
                await self._replay_one(document, actor, why)
            except (Conflict, Locked):  # More of this aggregate comes meanwhile: look again.
                conflicts += 1
                if conflicts == CONFLICTS_MAX:
                    raise
                await asyncio.sleep(random.uniform(0, 0.005 * conflicts))  # noqa: S311
            else:
                done, conflicts = done + 1, 0
        return done

    async def _replay_one(self, document: dict[str, Any], actor: Actor, why: str) -> None:
        one = opened(parked.record_of(document))
        if one.unreadable is not None:
            raise one.unreadable
        unit = Unit(self._runtime.mongo, self._runtime.context(actor))
        state = await self._read_state({one.subject})
        seen = state.seen.get(one.subject, NOTHING).version
        if one.version > seen + 1:
            raise Unreadable("gap", f"version {seen + 1} of {one.subject} has not been seen")
        # The outcome is noted under who asked for the replay; the effect under its cause, as it would have
        # been.
        parked.take_out(unit, document, outcome="replayed", why=why)
        unit.context = self._runtime.system_context(self.name)
        if one.version == seen + 1:
            await self._effect(unit, one)
            corrected = any(entry["what"] == "corrected" for entry in document["history"])
            state.seen[one.subject] = watermarks.seen(one, corrected=corrected)
        self._stage_watermarks(unit, state)
        await self._runtime.committer.commit(unit.change)
        await self._runtime.committed(unit)


def _world_is_wrong(error: Exception) -> bool:
    if isinstance(error, PyMongoError):
        return is_passing(error)
    return isinstance(error, Unavailable | Transient | Locked | CommitUnknown)
