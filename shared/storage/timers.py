"""Time in: timers are documents written in the change that sets them, and a due timer becomes a command.

The command's time is the due time, not the moment somebody got round to it: downtime delays, it never changes
an outcome. A timer is claimed for a short while so that two processes do not both work on it, but correctness
does not need the claim: whoever fires it removes it in the same change as the effect, and only one removal
can find it. Timers of one aggregate fire in the order of their due times; one that fails or hangs holds back
those after it and nothing else. Claims run by the server's clock, and a timer is due only once that clock
says so too: a process whose own clock is wrong may be late, and then others fire, but never early.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import structlog
from pymongo.errors import PyMongoError

from shared import fault
from shared.clock import Clock
from shared.errors import Conflict, Refusal, Transient
from shared.ids import new_id
from shared.pace import Pace
from shared.storage.documents import Collection, Index
from shared.storage.mongo import Mongo

if TYPE_CHECKING:
    from shared.storage.repository import Unit

TIMERS = "timers"
CLAIM_S = 10
BATCH_MAX = 100
KIND_MAX = 50
POLL_S = 0.25
RETRY_S = 0.2
RETRY_S_MAX = 300
DOUBLINGS_MAX = 16

DOCUMENTS = Collection(
    name=TIMERS,
    indexes=(
        Index(name="due", keys=(("due_at", 1),)),
        Index(name="due_of_one", keys=(("subject", 1), ("due_at", 1))),
    ),
)

log = structlog.get_logger()


def timer_id(kind: str, subject: str) -> str:
    """One timer of a kind for one subject: setting it again moves it."""
    return f"{kind}|{subject}"


@dataclass(frozen=True, kw_only=True)
class Timer:
    id: str
    kind: str
    subject: str
    due_at: datetime
    data: dict[str, Any]
    mark: str
    claim: str
    attempts: int
    trace: str | None
    correlation_id: str


OnDue = Callable[[Timer, "Unit"], Awaitable[None]]
# Runs a handler in a unit whose time is the timer's due time, commits it, retries conflicts.
Perform = Callable[[Timer, OnDue], Awaitable[None]]


class TimersLoop:
    def __init__(
        self,
        mongo: Mongo,
        clock: Clock,
        handlers: dict[str, OnDue],
        perform: Perform,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._mongo = mongo
        self._clock = clock
        self._handlers = handlers
        self._perform = perform
        self._pace = pace or Pace()
        self._stopping = False
        self._wake = asyncio.Event()
        # What is being fired at this moment, aggregate by aggregate.
        self._firing: dict[asyncio.Task[int], Sequence[Timer]] = {}
        self._more_may_be_due = False
        self._claims_renewed_at = 0.0

    async def run(self) -> None:
        """Until stopped; then returns when what is being fired has been."""
        try:
            while not self._stopping:
                try:
                    await self._begin_due()
                    await self._renew_claims_when_due()
                except PyMongoError as error:
                    log.warning("timers_wait_for_database", error=type(error).__name__)
                except Exception:
                    log.exception("timers_failed")  # Deadlines that nobody looks at again would all be late.
                await self._pause()
            if self._firing:
                await asyncio.wait(list(self._firing))
        finally:
            for task in self._firing:
                task.cancel()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        self._wake.clear()

    async def _begin_due(self) -> None:
        """Begin to fire what is due, as far as there is room; nothing waits for what was begun before."""
        room = BATCH_MAX - sum(len(group) for group in self._firing.values())
        if room <= 0:
            return
        timers = await self._claim(room)
        self._more_may_be_due = bool(timers)
        for group in _by_subject(timers):
            task = asyncio.create_task(self._fire_in_order(group), name=f"timers of {group[0].subject}")
            self._firing[task] = group
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[int]) -> None:
        del self._firing[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("timer_left", task=task.get_name(), error=repr(error)[:200])  # Its claim runs out.
        if self._more_may_be_due and len(self._firing) <= BATCH_MAX // 2:
            self._wake.set()

    async def _renew_claims_when_due(self) -> None:
        """What takes long stays claimed, or somebody would begin it a second time."""
        now = asyncio.get_running_loop().time()
        if not self._firing or now - self._claims_renewed_at < CLAIM_S / 3:
            return
        self._claims_renewed_at = now
        mine = [timer for group in self._firing.values() for timer in group]
        claimed = {"_id": {"$in": [timer.id for timer in mine]}, "claim": {"$in": [t.claim for t in mine]}}
        longer = {"$max": ["$claimed_until", _from_now(CLAIM_S)]}
        await self._mongo[TIMERS].update_many(claimed, [{"$set": {"claimed_until": longer}}])

    async def fire_due(self) -> int:
        """Fire one batch of what is due and wait for it; returns how many were fired."""
        groups = _by_subject(await self._claim())
        fired = await asyncio.gather(
            *(self._fire_in_order(group) for group in groups), return_exceptions=True
        )
        for outcome in fired:  # Raised only once none is left running.
            if isinstance(outcome, BaseException):
                raise outcome
        return sum(outcome for outcome in fired if isinstance(outcome, int))

    async def overdue_s(self) -> float:
        """How late the oldest due timer is, whether it waits, fails, or is of a kind that nobody knows."""
        now = self._clock.now()
        oldest = await self._mongo[TIMERS].find_one({"due_at": {"$lte": now}}, sort=[("due_at", 1)])
        return 0.0 if oldest is None else float((now - oldest["due_at"]).total_seconds())

    async def _claim(self, room: int = BATCH_MAX) -> list[Timer]:
        firing = [timer for group in self._firing.values() for timer in group]
        free = self._free(firing)
        due = await self._mongo[TIMERS].find(free, {"kind": 1}).sort("due_at", 1).to_list(length=BATCH_MAX)
        chosen = _with_room_for_each_kind(due, Counter(timer.kind for timer in firing))[:room]
        if not chosen:
            return []
        claim, ids = new_id("clm"), {"$in": chosen}
        await self._mongo[TIMERS].update_many(
            {**free, "_id": ids}, [{"$set": {"claimed_until": _from_now(CLAIM_S), "claim": claim}}]
        )
        found = await self._mongo[TIMERS].find({"_id": ids, "claim": claim}).to_list(length=BATCH_MAX)
        return [_timer(document) for document in found]

    def _free(self, firing: Sequence[Timer]) -> dict[str, Any]:
        """What is due, claimed by nobody, and of a kind of which more may be fired now."""
        now, kinds = self._clock.now(), Counter(timer.kind for timer in firing)
        # Whole milliseconds of ours, as $$NOW has; with its microseconds our time would seem the later one.
        ahead_ms = -((self._clock.real() - now) // timedelta(milliseconds=1))
        return {
            "_id": {"$nin": [timer.id for timer in firing]},
            "due_at": {"$lte": now},
            "kind": {"$in": [kind for kind in self._handlers if kinds[kind] < KIND_MAX]},
            "$expr": {
                "$and": [
                    {"$lte": ["$due_at", {"$add": ["$$NOW", ahead_ms]}]},
                    {"$lt": ["$claimed_until", "$$NOW"]},  # Never claimed, null, is before any time.
                ]
            },
        }

    async def _fire_in_order(self, timers: Sequence[Timer]) -> int:
        """Earlier ones first. An earlier one that somebody else holds, or that waits to be retried, holds
        these back.
        """
        first = timers[0]
        ids = [timer.id for timer in timers]
        earlier = {"subject": first.subject, "due_at": {"$lt": first.due_at}, "_id": {"$nin": ids}}
        if await self._wait_behind(earlier, timers):
            return 0
        for number, timer in enumerate(timers):
            if not await self._fire(timer):
                await self._wait_behind({"_id": timer.id}, timers[number + 1 :])
                return number
        return len(timers)

    async def _wait_behind(self, earlier: dict[str, Any], timers: Sequence[Timer]) -> bool:
        """Where there is an earlier one, leave these until it is tried again: looked at sooner they would
        take the room of others, over and over.
        """
        found = await self._mongo[TIMERS].find_one(earlier, {"claimed_until": 1}, sort=[("due_at", 1)])
        if found is not None and timers:
            await self._release(timers, not_before=found["claimed_until"])
        return found is not None

    async def _fire(self, timer: Timer) -> bool:
        async def fire_and_remove(timer: Timer, unit: "Unit") -> None:
            # The mark: a timer set anew while this one was being handled is another timer.
            unit.change.remove(TIMERS, {"_id": timer.id, "mark": timer.mark})
            await self._handlers[timer.kind](timer, unit)
            fault.point("timer.before_commit")

        try:
            async with self._pace.turn(f"timers of {timer.kind}"):
                await self._perform(timer, fire_and_remove)
        except Conflict:
            return await self._is_gone(timer)
        except Exception as error:
            if not isinstance(error, Transient | Refusal | PyMongoError):
                log.exception("timer_failed", kind=timer.kind, subject=timer.subject)
            await self._hold_back(timer, error)
            return False
        return True

    async def _is_gone(self, timer: Timer) -> bool:
        """Somebody else fired, moved or cancelled it, which is as good; or its aggregate is busy, which is
        not: those after it must wait.
        """
        if await self._mongo[TIMERS].find_one({"_id": timer.id, "mark": timer.mark}, {"_id": 1}) is None:
            return True
        await self._release([timer])
        return False

    async def _hold_back(self, timer: Timer, error: Exception) -> None:
        delay_s = min(RETRY_S * 2 ** min(timer.attempts, DOUBLINGS_MAX), RETRY_S_MAX)
        log.warning(
            "timer_held_back", kind=timer.kind, subject=timer.subject, error=str(error)[:200], delay_s=delay_s
        )
        edit = {
            "claimed_until": _from_now(delay_s),
            "error": {"$literal": str(error)[:500]},
            "attempts": {"$add": ["$attempts", 1]},
        }
        await self._mongo[TIMERS].update_one({"_id": timer.id, "mark": timer.mark}, [{"$set": edit}])

    async def _release(self, timers: Sequence[Timer], not_before: datetime | None = None) -> None:
        marks = [timer.mark for timer in timers]
        ids = [timer.id for timer in timers]
        mine = {"_id": {"$in": ids}, "mark": {"$in": marks}}
        until = {"$max": [_from_now(POLL_S), not_before]}
        await self._mongo[TIMERS].update_many(mine, [{"$set": {"claimed_until": until}}])


def _by_subject(timers: Sequence[Timer]) -> list[list[Timer]]:
    ordered = sorted(timers, key=lambda timer: (timer.subject, timer.due_at))
    return [list(group) for _, group in groupby(ordered, key=lambda timer: timer.subject)]


def _with_room_for_each_kind(due: Sequence[dict[str, Any]], firing: Counter[str]) -> list[str]:
    """One kind may hang, as the server does that it calls; it never takes all the room."""
    chosen, kinds = [], Counter(firing)
    for timer in due:
        if kinds[timer["kind"]] < KIND_MAX:
            kinds[timer["kind"]] += 1
            chosen.append(timer["_id"])
    return chosen


def _from_now(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", seconds * 1_000]}


def _timer(document: dict[str, Any]) -> Timer:
    return Timer(
        id=document["_id"],
        kind=document["kind"],
        subject=document["subject"],
        due_at=document["due_at"],
        data=document["data"],
        mark=document["mark"],
        claim=document["claim"],
        attempts=document["attempts"],
        trace=document["trace"],
        correlation_id=document["correlation_id"],
    )
