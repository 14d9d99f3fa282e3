"""The committer: all that writes events in a process goes through it, one transaction at a time.

Callers hand in changes and wait. The committer takes those that are waiting, at most 100 and no two that
touch one document, and writes them in one transaction: one bulk write a collection, one commit, an answer to
each. Idle, a change is taken at once, so grouping costs no wait; busy, the commit's price is shared.

What can go wrong, and who is told:
- a condition no longer holds (somebody else saved first): a look outside the transaction finds those changes,
  they are answered Conflict, the rest go again;
- a unique index refuses: the server names one operation; the others that would be refused too are looked up
  in the same pass, so a group with many refusals is written twice, not many times;
- a write conflict names nobody: the group is halved until it passes or one is alone, which is told at once;
- the outcome of a commit is unknown: commit is repeated until it is definite. When it cannot be, the writer
  id is given up;
- the writer was fenced (its lease ran out while it was stopped): it goes on under a new id, and the same
  changes go again.

A consumer's batch is one change of its own. It needs nothing special: its keys keep others out where they
must be out.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from pymongo.errors import BulkWriteError, PyMongoError

from shared import fault
from shared.errors import Locked, Unavailable
from shared.storage import event_log
from shared.storage.change import Change, Place, SealedEvent
from shared.storage.event_log import LEASE_MS, Fenced, Writer
from shared.storage.mongo import CommitUnknown, Mongo, database_away, is_passing
from shared.storage.writing import Refused, changed_meanwhile, changes_that_fail, write_all

GROUP_CHANGES_MAX = 100
GROUP_EVENTS_MAX = 2_000
GROUP_BYTES_MAX = 8 * 1024 * 1024
QUEUE_CHANGES_MAX = 5_000
PASSING_FAILURE_TRIES_S = 25.0
STOP_S = 20.0
WRITE_CONFLICT = 112

log = structlog.get_logger()

OnCommitted = Callable[[list[SealedEvent]], None]
OnNewLog = Callable[[Writer], Awaitable[None]]


@dataclass(eq=False)
class _Waiting:
    change: Change
    answer: asyncio.Future[None]
    keys: frozenset[object]
    since: float
    tries: int = 0
    events: list[SealedEvent] = field(default_factory=list)

    def resolve(self, error: BaseException | None = None) -> None:
        if self.answer.done():  # The caller has gone away; what was committed stays committed.
            return
        if error is None:
            self.answer.set_result(None)
        else:
            self.answer.set_exception(error)


class Committer:
    """`on_committed` gets the events right after their commit, in log order; it must not block."""

    def __init__(
        self,
        mongo: Mongo,
        owner: str,
        on_committed: OnCommitted,
        on_new_log: OnNewLog,
        *,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._lease_ms = lease_ms
        self._alive_at = 0.0
        self._mongo = mongo
        self._owner = owner
        self._on_committed = on_committed
        self._on_new_log = on_new_log
        self._queue: deque[_Waiting] = deque()
        self._group: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._session: Any = None
        self.writer: Writer | None = None
        self.group_sizes: Callable[[int], None] = lambda size: None

    async def start(self) -> None:
        await self._new_log()
        self._task = asyncio.create_task(self._run(), name="committer")

    async def stop(self) -> None:
        """Commit what was accepted, within bounds, then end. The lease is given back by the relay, when it
        has sent everything.
        """
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            _, late = await asyncio.wait([self._task], timeout=STOP_S)
            if late:  # Its session may be in use to the last; a server that comes back ends it.
                log.warning("committer_not_stopped_in_time", waiting=len(self._queue))
                self._task.cancel()
                await asyncio.wait([self._task])
                return
        if self._session is not None:
            await self._session.end_session()

    @property
    def has_ended(self) -> bool:
        """Without having been asked to: then nothing will be written any more."""
        return self._task is not None and self._task.done() and not self._stopping

    async def commit(self, change: Change) -> None:
        """Return once the change is durable; raise Conflict, a Refusal of its own, or Unavailable."""
        if change.is_empty:
            return
        if self._stopping or self.has_ended or len(self._queue) >= QUEUE_CHANGES_MAX:
            raise Unavailable(
                "overloaded", "Too much is waiting to be written; nothing was changed; try again"
            )
        loop = asyncio.get_running_loop()
        waiting = _Waiting(change, loop.create_future(), change.keys, loop.time(), events=list(change.events))
        self._queue.append(waiting)
        self._wake.set()
        await waiting.answer

    async def _run(self) -> None:
        try:
            while self._queue or not self._stopping:
                try:
                    await self._go_on()
                except Exception:
                    # Nobody else would serve those who wait, so whatever it was, the next are served.
                    log.exception("committer_failed")
                    await asyncio.sleep(0.2)
        finally:
            for waiting in (*self._group, *self._queue):
                waiting.resolve(_outcome_unknown())

    async def _go_on(self) -> None:
        await self._renew_when_due()
        if self._queue:
            self._group = self._take()
            await self._commit_group(self._group)
            self._group = []
        elif not self._stopping:
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(event_log.renew_every_s(self._lease_ms)):
                    await self._wake.wait()

    def _take(self) -> list[_Waiting]:
        """The next group. A change that must wait keeps those behind it that touch the same waiting too."""
        group: list[_Waiting] = []
        left: deque[_Waiting] = deque()
        blocked: set[object] = set()
        events = size = 0
        while self._queue and len(group) < GROUP_CHANGES_MAX:
            waiting = self._queue.popleft()
            own_size = sum(len(event.body) for event in waiting.events)
            full = group and (
                events + len(waiting.events) > GROUP_EVENTS_MAX or size + own_size > GROUP_BYTES_MAX
            )
            if full:
                left.append(waiting)
                break
            if blocked.isdisjoint(waiting.keys):
                group.append(waiting)
                events, size = events + len(waiting.events), size + own_size
            else:
                left.append(waiting)
            blocked |= waiting.keys
        self._queue.extendleft(reversed(left))
        self.group_sizes(len(group))
        return group

    async def _commit_group(self, group: list[_Waiting]) -> None:
        """Write a group, answering every one in it. Never raises: the next group must be served."""
        todo = [group]
        while todo:
            current = todo.pop()
            try:
                await self._write(current)
            except Exception as error:
                todo.extend(reversed(await self._what_goes_again(current, error)))
            else:
                self._answer(current)

    async def _what_goes_again(self, group: list[_Waiting], error: Exception) -> list[list[_Waiting]]:
        """As `_after_failure` decides, unless the database goes away while that is found out."""
        try:
            return await self._after_failure(group, error)
        except Exception as second:
            waiting = [each for each in group if not each.answer.done()]
            if is_passing(second):
                return await self._wait_for_the_database(waiting, second)
            for each in waiting:
                each.resolve(second)
            return []

    async def _write(self, group: list[_Waiting]) -> None:
        assert self.writer is not None
        session, writer = self._session, self.writer
        events = [event for waiting in group for event in waiting.events]
        try:
            await self._mongo.begin(session)
            if events:
                start = await event_log.advance(self._mongo, writer, len(events), session)
                _give_places(events, writer, start)
                fault.point("committer.after_first_write")
            await write_all(self._mongo, [waiting.change for waiting in group], session)
            fault.point("committer.before_commit")
            await self._mongo.commit(session)
        except BaseException:
            await self._mongo.abort(session)
            raise
        fault.point("committer.after_commit")

    def _answer(self, group: list[_Waiting]) -> None:
        """It is committed: whatever goes wrong from here on, nothing of it may be written again."""
        events = [event for waiting in group for event in waiting.events]
        try:
            if events:
                self._alive_at = asyncio.get_running_loop().time()
                self._on_committed(events)
        except Exception:
            log.exception("committed_not_told")
        for waiting in group:
            waiting.resolve()
        self._answer_the_overtaken(group)

    def _answer_the_overtaken(self, group: list[_Waiting]) -> None:
        """Who waits with a decision on what has just been moved need not queue to be told so: with many of
        them, those who decide anew would stand behind all who are late.
        """
        moved = {
            key: write.events[-1].version for done in group for key, write in done.change.aggregates.items()
        }
        left: deque[_Waiting] = deque()
        for waiting in self._queue:
            if any(w.loaded_version < moved.get(key, 0) for key, w in waiting.change.aggregates.items()):
                waiting.resolve(changed_meanwhile())
            else:
                left.append(waiting)
        self._queue = left

    async def _after_failure(self, group: list[_Waiting], error: Exception) -> list[list[_Waiting]]:
        """Answer those who failed for good and return the groups that go again."""
        if isinstance(error, Fenced | CommitUnknown):
            return await self._under_a_new_log(group, error)
        if isinstance(error, Refused):
            return await self._take_out(group, error)
        if is_passing(error) and not _is_write_conflict(error):
            return await self._wait_for_the_database(group, error)
        return await self._in_halves(group, error)

    async def _in_halves(self, group: list[_Waiting], error: Exception) -> list[list[_Waiting]]:
        if len(group) > 1:
            middle = len(group) // 2
            return [group[:middle], group[middle:]]
        return [group] if await self._again_alone(group[0], error) else []

    async def _take_out(self, group: list[_Waiting], refused: Refused) -> list[list[_Waiting]]:
        failing = await changes_that_fail(self._mongo, [waiting.change for waiting in group], refused)
        rest = []
        for index, waiting in enumerate(group):
            if index in failing:
                waiting.resolve(failing[index])
            else:
                rest.append(waiting)
        if failing:
            return [rest] if rest else []
        # It failed a moment ago and now nothing is found: whoever was in the way has moved on, or one change
        # is in its own way.
        return await self._in_halves(group, refused)

    async def _again_alone(self, waiting: _Waiting, error: Exception) -> bool:
        if _is_write_conflict(error):  # Its holder may take seconds: who asked waits for it, nobody else.
            waiting.resolve(_locked())
            return False
        waiting.tries += 1
        if isinstance(error, PyMongoError | Refused) and waiting.tries < 6:
            await asyncio.sleep(random.uniform(0, 0.005 * 2**waiting.tries))  # noqa: S311
            return True
        if isinstance(error, Refused):
            waiting.resolve(changed_meanwhile())
        else:
            waiting.resolve(error)
        return False

    async def _wait_for_the_database(self, group: list[_Waiting], error: Exception) -> list[list[_Waiting]]:
        now = asyncio.get_running_loop().time()
        late = [waiting for waiting in group if now - waiting.since > PASSING_FAILURE_TRIES_S]
        for waiting in late:
            waiting.resolve(database_away(error))
        rest = [waiting for waiting in group if waiting not in late]
        if rest:
            log.warning("commit_waits_for_database", error=type(error).__name__, changes=len(rest))
            await asyncio.sleep(0.2)
        return [rest] if rest else []

    async def _under_a_new_log(self, group: list[_Waiting], error: Exception) -> list[list[_Waiting]]:
        """Fenced: nothing of the group was written. Unknown: it may have been, its callers must ask again."""
        log.warning("writer_given_up", writer=self.writer and self.writer.id, reason=type(error).__name__)
        went_on = await self._new_log_when_possible()
        if isinstance(error, Fenced):
            if went_on:
                return [group]
            for waiting in group:
                waiting.resolve(database_away(error))
            return []
        for waiting in group:
            waiting.resolve(_outcome_unknown())
        return []

    async def _new_log_when_possible(self) -> bool:
        """False: we are asked to stop and the database is away."""
        while True:
            try:
                await self._new_log()
                return True
            except PyMongoError as error:
                log.warning("new_log_waits", error=type(error).__name__)
            if self._stopping:
                return False
            await asyncio.sleep(0.5)

    async def _new_log(self) -> None:
        """A new session too: the old one may still hold a transaction, which its lsid lets an adopter end."""
        session = await self._mongo.start_session()
        writer = await event_log.open_log(self._mongo, self._owner, session.session_id, self._lease_ms)
        self._session, self.writer = session, writer
        self._alive_at = asyncio.get_running_loop().time()
        await self._on_new_log(writer)

    async def _renew_when_due(self) -> None:
        """By the clock, not when idle: a process may be busy for long with changes that make no events."""
        assert self.writer is not None
        now = asyncio.get_running_loop().time()
        if now - self._alive_at < event_log.renew_every_s(self._lease_ms):
            return
        self._alive_at = now
        try:
            await event_log.renew(self._mongo, self.writer)
        except Fenced:
            await self._new_log_when_possible()
        except PyMongoError as error:
            log.warning("lease_not_renewed", error=type(error).__name__)


def _give_places(events: list[SealedEvent], writer: Writer, start: int) -> None:
    for number, event in enumerate(events, start + 1):
        event.place = Place(writer.id, number)


def _is_write_conflict(error: Exception) -> bool:
    return getattr(error, "code", None) == WRITE_CONFLICT and not isinstance(error, BulkWriteError)


async def write_alone(mongo: Mongo, change: Change) -> None:
    """A change without events, in a transaction of its own: it need not wait for a place in a log."""
    assert not change.aggregates, "what writes events goes through the committer"
    if change.is_empty:
        return
    try:
        async with mongo.transaction() as session:
            await write_all(mongo, [change], session)
    except Refused as error:
        raise changed_meanwhile() from error
    except PyMongoError as error:
        if _is_write_conflict(error):
            raise _locked() from error
        raise


def _outcome_unknown() -> Unavailable:
    return Unavailable(
        "outcome_unknown", "Whether this was saved is not known yet; send the same request again"
    )


def _locked() -> Locked:
    return Locked("locked_meanwhile", "Someone else is changing it at this moment; try again")
