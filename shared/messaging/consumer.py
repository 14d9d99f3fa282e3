"""Consumers: a batch of records becomes one transaction, and only then are the offsets committed.

What happens in order. FastStream hands over a batch and the raw records with it. Each record is opened; the
watermarks of its aggregates are read at once. Handlers stage their effects in one unit, in order. Effects,
watermarks, parked messages and new timers are committed together: through the committer when the unit writes
events, else in a transaction of its own. FastStream then commits the offsets. A crash in between brings the
batch again, and the watermark drops it.

The watermark is the only deduplication: per consumer and aggregate the last version seen, moved by a write
that expects the former one. Two processes that handle one aggregate at once (a rebalance) meet there, and the
later one decides anew.

What is wrong with a message parks it; what is wrong with the world (the database is away) blocks the consumer
until it passes, because nothing else would succeed either. When a batch fails, its records go one by one, so
that only the guilty one is parked.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from opentelemetry.trace import SpanKind
from pymongo.errors import PyMongoError

from shared import fault
from shared.context import Actor, system_actor
from shared.contracts import catalogue
from shared.contracts.envelope import PAYLOAD_BYTES_MAX, Event, Unreadable, open_envelope
from shared.errors import Conflict, Transient, Unavailable
from shared.messaging import parked
from shared.messaging.parked import Head, RawRecord
from shared.messaging.subscription import Received, Subscription
from shared.service import Runtime
from shared.storage.committer import write_alone
from shared.storage.mongo import is_passing
from shared.storage.repository import Unit
from shared.telemetry import Metrics, current_traceparent, parse_traceparent, span_under

WATERMARKS = "watermarks"
ATTEMPTS = 5
ATTEMPT_DELAY_S = 0.1
BLOCKED_DELAY_S_MAX = 5.0
CONFLICTS_MAX = 20

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A record and what it turned out to be: a fact (of a type we know or not), or unreadable and why."""

    record: RawRecord
    subject: str
    version: int = 0
    id: str = ""
    received: Received | None = None
    event: Event | None = None
    unreadable: Unreadable | None = None


@dataclass
class _State:
    """What is stored about the aggregates of a batch, and what the batch makes of it."""

    stored: dict[str, tuple[int, str]]
    seen: dict[str, tuple[int, str]]
    heads: dict[str, Head]
    # Aggregates with a gap parked, whose missing version this batch brought.
    unblocked: list[str] = field(default_factory=list)


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
        opened = [_open(record) for record in records]
        started = time.perf_counter()
        if await self._try(opened) is not None:
            for one in opened:
                await self._alone(one)
        self._metrics.events_consumed_total.labels(self.name).inc(len(opened))
        log.info(
            "batch_consumed",
            consumer=self.name,
            records=len(opened),
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )

    async def _try(self, opened: Sequence[_Opened]) -> Exception | None:
        """The batch as one change. An error: a handler failed with it, so the records must go alone."""
        delay_s, conflicts = ATTEMPT_DELAY_S, 0
        while True:
            try:
                unblocked = await self._once(opened)
                self.blocked_since = None
                await self._replay_gaps(unblocked)
                return None
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

    async def _alone(self, one: _Opened) -> None:
        """A record that may be the guilty one: a few attempts, then it is parked."""
        for attempt in range(ATTEMPTS):
            error = await self._try([one])
            if error is None:
                return
            await asyncio.sleep(ATTEMPT_DELAY_S * 2**attempt)
        log.error("message_not_handled", consumer=self.name, place=one.record.place, exc_info=error)
        reason = Unreadable("handler_failed", f"{type(error).__name__}: {error}")
        await self._try([replace(one, received=None, unreadable=reason)])

    async def _replay_gaps(self, subjects: Sequence[str]) -> None:
        """What waited for a version that has now come."""
        for subject in subjects:
            try:
                await self.replay(subject, actor=system_actor(self.name), why="the missing version came")
            except (Conflict, Unreadable) as error:
                log.warning("gap_not_replayed", consumer=self.name, error=str(error)[:200])

    async def _once(self, opened: Sequence[_Opened]) -> Sequence[str]:
        unit, state = await self._stage(opened)
        if unit.change.aggregates:
            await self._runtime.committer.commit(unit.change)
        else:
            await write_alone(self._runtime.mongo, unit.change)
        fault.point("consumer.after_commit")
        await self._runtime.committed(unit)
        return state.unblocked

    async def _stage(self, opened: Sequence[_Opened]) -> tuple[Unit, _State]:
        unit = Unit(self._runtime.mongo, self._runtime.system_context(self.name))
        state = await self._read_state({one.subject for one in opened})
        if self.subscription.prefetch is not None:
            received = [one.received for one in opened if one.received]
            for collection, ids in self.subscription.prefetch(received).items():
                await unit.prefetch(collection, ids)
        for one in opened:
            await self._stage_one(unit, one, state)
        self._stage_watermarks(unit, state)
        return unit, state

    async def _read_state(self, subjects: set[str]) -> _State:
        ids = [f"{self.name}|{subject}" for subject in subjects]
        stored = {
            document["_id"].removeprefix(f"{self.name}|"): (document["version"], document["event"])
            async for document in self._runtime.mongo[WATERMARKS].find({"_id": {"$in": ids}})
        }
        return _State(stored, dict(stored), await parked.heads(self._runtime.mongo, self.name, subjects))

    def _stage_watermarks(self, unit: Unit, state: _State) -> None:
        for subject, (version, event) in state.seen.items():
            before = state.stored.get(subject)
            id = f"{self.name}|{subject}"
            if before is None:
                unit.change.insert(WATERMARKS, {"_id": id, "version": version, "event": event})
            elif before[0] != version:
                condition = {"_id": id, "version": before[0]}
                unit.change.edit(WATERMARKS, condition, {"$set": {"version": version, "event": event}})

    async def _stage_one(self, unit: Unit, one: _Opened, state: _State) -> None:
        head = state.heads.get(one.subject)
        seen, last_event = state.seen.get(one.subject, (0, ""))
        if one.unreadable is not None:
            await self._park(unit, one, state, one.unreadable.reason, str(one.unreadable))
        elif one.version < seen or (one.version == seen and one.id == last_event):
            self._metrics.duplicates_dropped_total.labels(self.name).inc()
        elif one.version == seen:
            await self._park(unit, one, state, "other_content", "this version was seen with another id")
        elif head is not None and head.reason != "gap":
            await self._park(unit, one, state, "behind", f"waits behind {head.id}")
        elif one.version > seen + 1:
            await self._park(unit, one, state, "gap", f"version {seen + 1} has not been seen")
        else:
            await self._effect(unit, one)
            state.seen[one.subject] = (one.version, one.id)
            if head is not None:
                state.unblocked.append(one.subject)

    async def _park(self, unit: Unit, one: _Opened, state: _State, reason: str, error: str) -> None:
        id = f"{self.name}|{one.record.place}"
        if (
            await unit.get(parked.PARKED, id) is not None
        ):  # It came again; what became of it is its own history.
            return
        head = state.heads.setdefault(one.subject, Head(id=id, reason=reason))
        if head.id != id and (parked.PARKED, head.id) not in unit.change.puts:
            parked.wait_behind(unit, head.id)
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

    async def _effect(self, unit: Unit, one: _Opened) -> None:
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

    async def _call(self, unit: Unit, one: _Opened, received: Received, traceparent: str | None) -> None:
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
        done = 0
        while waiting := await parked.sequence(self._runtime.mongo, self.name, subject):
            await self._replay_one(waiting[0], actor, why)
            done += 1
        return done

    async def _replay_one(self, document: dict[str, Any], actor: Actor, why: str) -> None:
        one = _open(parked.record_of(document))
        if one.unreadable is not None:
            raise one.unreadable
        unit = Unit(self._runtime.mongo, self._runtime.context(actor))
        state = await self._read_state({one.subject})
        seen, _ = state.seen.get(one.subject, (0, ""))
        if one.version > seen + 1:
            raise Unreadable("gap", f"version {seen + 1} of {one.subject} has not been seen")
        # The outcome is noted under who asked for the replay; the effect under its cause, as it would have
        # been.
        parked.take_out(unit, document, outcome="replayed", why=why)
        if one.version == seen + 1:
            await self._effect(unit, one)
            state.seen[one.subject] = (one.version, one.id)
        self._stage_watermarks(unit, state)
        await self._runtime.committer.commit(unit.change)
        await self._runtime.committed(unit)


def _open(record: RawRecord) -> _Opened:
    try:
        if len(record.value) > PAYLOAD_BYTES_MAX:
            raise Unreadable("too_large", f"{len(record.value)} bytes")
        envelope = open_envelope(record.value)
        event = catalogue.event_of(envelope) if envelope.type in catalogue.EVENTS else None
    except Unreadable as unreadable:
        return _Opened(record=record, subject=record.sequence, unreadable=unreadable)
    received = Received(
        envelope=envelope,
        body=record.value,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
    return _Opened(
        record=record,
        subject=envelope.subject,
        version=envelope.version,
        id=envelope.id,
        received=received,
        event=event,
    )


def _world_is_wrong(error: Exception) -> bool:
    if isinstance(error, PyMongoError):
        return is_passing(error)
    return isinstance(error, Unavailable | Transient)
