"""Time in: timers are documents written in the change that sets them, and a due timer becomes a command.

The command's time is the due time, not the moment somebody got round to it: downtime delays, it never changes
an outcome. A timer is claimed for a short while so that two processes do not both work on it, but correctness
does not need the claim: whoever fires it removes it in the same change as the effect, and only one removal
can find it. Timers of one aggregate fire in the order of their due times; one that fails holds back those
after it and nothing else. Claims run by the server's clock, and a timer is due only once that clock says so
too: a process whose own clock is wrong may be late, and then others fire, but never early.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import structlog
from pymongo.errors import PyMongoError

from shared import fault
from shared.clock import Clock
from shared.errors import Conflict, Refusal, Transient, Unavailable
from shared.ids import new_id
from shared.storage.documents import Collection, Index
from shared.storage.mongo import Mongo

if TYPE_CHECKING:
    from shared.storage.repository import Unit

TIMERS = "timers"
CLAIM_S = 10
BATCH_MAX = 100
POLL_S = 0.25
ATTEMPTS_QUICK = 5
RETRY_S_MAX = 300

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
    attempts: int
    trace: str | None
    correlation_id: str


OnDue = Callable[[Timer, "Unit"], Awaitable[None]]
# Runs a handler in a unit whose time is the timer's due time, commits it, retries conflicts.
Perform = Callable[[Timer, OnDue], Awaitable[None]]


class TimersLoop:
    def __init__(self, mongo: Mongo, clock: Clock, handlers: dict[str, OnDue], perform: Perform) -> None:
        self._mongo = mongo
        self._clock = clock
        self._handlers = handlers
        self._perform = perform
        self._stopping = asyncio.Event()
        self.overdue_s = 0.0

    async def run(self) -> None:
        while not self._stopping.is_set():
            fired = 0
            try:
                fired = await self.fire_due()
            except PyMongoError as error:
                log.warning("timers_wait_for_database", error=type(error).__name__)
            if fired == 0:
                await self._pause()

    def stop(self) -> None:
        self._stopping.set()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), POLL_S)
        except TimeoutError:
            return

    async def fire_due(self) -> int:
        """Fire one batch of what is due; the number fired tells whether to look again at once."""
        timers = await self._claim()
        ordered = sorted(timers, key=lambda timer: (timer.subject, timer.due_at))
        groups = [list(group) for _, group in groupby(ordered, key=lambda timer: timer.subject)]
        fired = await asyncio.gather(
            *(self._fire_in_order(group) for group in groups), return_exceptions=True
        )
        for outcome in fired:  # Raised only once none is left running.
            if isinstance(outcome, BaseException):
                raise outcome
        return sum(outcome for outcome in fired if isinstance(outcome, int))

    async def _claim(self) -> list[Timer]:
        now, claim = self._clock.now(), new_id("clm")
        ahead_ms = (now - self._clock.real()).total_seconds() * 1_000
        free = {
            "due_at": {"$lte": now},
            "kind": {"$in": list(self._handlers)},
            "$expr": {
                "$and": [
                    {"$lte": ["$due_at", {"$add": ["$$NOW", ahead_ms]}]},
                    {"$lt": ["$claimed_until", "$$NOW"]},  # Never claimed, null, is before any time.
                ]
            },
        }
        due = await self._mongo[TIMERS].find(free, {"due_at": 1}).sort("due_at", 1).to_list(length=BATCH_MAX)
        self.overdue_s = (now - due[0]["due_at"]).total_seconds() if due else 0.0
        if not due:
            return []
        mine = {**free, "_id": {"$in": [timer["_id"] for timer in due]}}
        await self._mongo[TIMERS].update_many(
            mine, [{"$set": {"claimed_until": _from_now(CLAIM_S), "claim": claim}}]
        )
        found = await self._mongo[TIMERS].find({"claim": claim}).to_list(length=BATCH_MAX)
        return [_timer(document) for document in found]

    async def _fire_in_order(self, timers: Sequence[Timer]) -> int:
        """Earlier ones first. An earlier one that somebody else holds, or that waits to be retried, holds
        these back.
        """
        first = timers[0]
        ids = [timer.id for timer in timers]
        earlier = {"subject": first.subject, "due_at": {"$lt": first.due_at}, "_id": {"$nin": ids}}
        if await self._mongo[TIMERS].find_one(earlier, {"_id": 1}) is not None:
            await self._release(timers, after_s=POLL_S)
            return 0
        for number, timer in enumerate(timers):
            if not await self._fire(timer):
                await self._release(timers[number + 1 :], after_s=POLL_S)
                return number
        return len(timers)

    async def _fire(self, timer: Timer) -> bool:
        async def fire_and_remove(timer: Timer, unit: "Unit") -> None:
            # The mark: a timer set anew while this one was being handled is another timer.
            unit.change.remove(TIMERS, {"_id": timer.id, "mark": timer.mark})
            await self._handlers[timer.kind](timer, unit)
            fault.point("timer.before_commit")

        try:
            await self._perform(timer, fire_and_remove)
        except Conflict:
            return await self._is_gone(timer)
        except (Transient, Unavailable, Refusal, PyMongoError) as error:
            await self._hold_back(timer, error)
            return False
        except Exception as error:
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
        await self._release([timer], after_s=POLL_S)
        return False

    async def _hold_back(self, timer: Timer, error: Exception) -> None:
        delay_s = min(0.2 * 2**timer.attempts, RETRY_S_MAX)
        log.warning(
            "timer_held_back", kind=timer.kind, subject=timer.subject, error=str(error)[:200], delay_s=delay_s
        )
        edit = {
            "claimed_until": _from_now(delay_s),
            "error": {"$literal": str(error)[:500]},
            "attempts": {"$add": ["$attempts", 1]},
        }
        await self._mongo[TIMERS].update_one({"_id": timer.id, "mark": timer.mark}, [{"$set": edit}])

    async def _release(self, timers: Sequence[Timer], after_s: float) -> None:
        marks = [timer.mark for timer in timers]
        ids = [timer.id for timer in timers]
        mine = {"_id": {"$in": ids}, "mark": {"$in": marks}}
        await self._mongo[TIMERS].update_many(mine, [{"$set": {"claimed_until": _from_now(after_s)}}])


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
        attempts=document["attempts"],
        trace=document["trace"],
        correlation_id=document["correlation_id"],
    )
