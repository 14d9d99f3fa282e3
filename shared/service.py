"""What a service is, said once: rooms with their documents, routes, subscriptions and deadlines, and the
runtime they share.

`Runtime.perform` is the road every decision takes, whoever asks: make a unit, let the handler load and
decide, commit the unit's change; on a conflict throw it away and run the handler again on what is stored now.
HTTP requests, Kafka messages and due timers differ only in the context they bring.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from shared.clock import Clock
from shared.context import Actor, Context, system_actor
from shared.errors import Conflict, Locked
from shared.ids import uuid7
from shared.messaging.subscription import Subscription
from shared.pace import Pace
from shared.storage.committer import Committer
from shared.storage.documents import Collection
from shared.storage.mongo import Mongo
from shared.storage.repository import Repository, Unit
from shared.storage.timers import OnDue
from shared.storage.views import View

CONFLICT_S_MAX = 5.0
CONFLICT_PAUSE_S = 0.01
# Who holds a lock may be dead, and every try in vain splits a group of others.
LOCKED_PAUSE_S = 0.1

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Room:
    """One capability of a service. What a room does not need is absent."""

    name: str
    repositories: tuple[Repository[Any], ...] = ()
    collections: tuple[Collection, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    deadlines: Mapping[str, OnDue] = field(default_factory=dict)
    views: tuple[View, ...] = ()
    # Routers of shared.http; the type is not named here so that this page needs no web framework.
    routes: tuple[Any, ...] = ()
    # What must run beside the requests: made and stopped with the service.
    workers: tuple["Worker", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A loop of a room. `stop` asks it to end; `run` then returns, bounded in time."""

    name: str
    run: Callable[[], Coroutine[Any, Any, None]]
    stop: Callable[[], None]


class Runtime:
    """What a running service gives its rooms."""

    def __init__(
        self, name: str, mongo: Mongo, clock: Clock, committer: Committer, pace: Pace | None = None
    ) -> None:
        self.name = name
        self.mongo = mongo
        self.clock = clock
        self.committer = committer
        self.pace = pace or Pace()
        # Told of every unit that was committed; the tests assert parity of log and state here.
        self.observers: list[Callable[[Unit], Awaitable[None]]] = []

    def context(
        self,
        actor: Actor,
        *,
        now: datetime | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        traceparent: str | None = None,
    ) -> Context:
        return Context(
            actor=actor,
            now=now or self.clock.now(),
            recorded_at=self.clock.real(),
            correlation_id=correlation_id or str(uuid7()),
            causation_id=causation_id,
            traceparent=traceparent,
        )

    def system_context(self, what: str) -> Context:
        return self.context(system_actor(what))

    async def perform(self, context: Context, work: Callable[[Unit], Awaitable[R]]) -> R:
        """Decide and commit; decide again where somebody else was first, as long as a caller would wait."""
        give_up_at = asyncio.get_running_loop().time() + CONFLICT_S_MAX
        while True:
            unit = Unit(self.mongo, context)
            result = await work(unit)
            try:
                await self.committer.commit(unit.change)
            except Conflict as conflict:
                if asyncio.get_running_loop().time() > give_up_at:
                    raise
                pause_s = LOCKED_PAUSE_S if isinstance(conflict, Locked) else CONFLICT_PAUSE_S
                await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311
                continue
            await self.committed(unit)
            return result

    async def committed(self, unit: Unit) -> None:
        for callback in unit.after_commit:
            callback()
        for observer in self.observers:
            await observer(unit)
