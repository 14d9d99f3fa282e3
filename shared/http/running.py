"""Running what a route asks for: a read as it is, a command until it is decided on what is stored.

A command's caller is let in again before each try, when a moment has passed since they were let in last:
their body may have taken half a minute to arrive, and their role may have been withdrawn meanwhile.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from fastapi import Request
from pymongo.errors import PyMongoError
from starlette.responses import Response

from shared.context import Context
from shared.errors import Refusal, Unavailable
from shared.http import idempotency
from shared.http.auth import Caller, May
from shared.http.directory import Directory
from shared.http.idempotency import Asked, InFlight
from shared.http.limits import TooSlow
from shared.http.visit import visit_of
from shared.service import Runtime
from shared.storage.repository import Unit

# What a withdrawn role may still do is decided on what was known this long ago, at most.
LET_IN_S_MAX = 0.25

Run = Callable[[Request], Coroutine[Any, Any, Response]]


def kit_of(request: Request) -> "Kit":
    kit = request.app.state.kit
    assert isinstance(kit, Kit)
    return kit


def context_of(kit: "Kit", request: Request, caller: Caller, *, if_match: int | None) -> Context:
    """What a request decides with: who asks, and when it came."""
    visit = visit_of(request)
    context = kit.runtime.context(
        caller.actor,
        now=visit.received_at,
        correlation_id=visit.correlation_id,
        traceparent=visit.traceparent,
    )
    return replace(context, on_behalf_of=caller.on_behalf_of, if_match=if_match)


def out_of_time(request: Request) -> Refusal:
    """Which it is: the request was too slow to come, or we were too slow with it."""
    if not visit_of(request).incoming.complete:
        s_max = kit_of(request).request_s_max
        return TooSlow("request_too_slow", "The request did not arrive in time", s_max=s_max)
    return Unavailable("took_too_long", "Whether this was done is not known yet; send the same request again")


class Doorkeeper(Protocol):
    """Who asks, if `may` lets them in; raises where it does not."""

    directory: Directory

    async def caller(self, request: Request, may: May) -> Caller: ...


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What an application gives its routes. Routes are made when their module is imported, before any of
    this.
    """

    runtime: Runtime
    authenticator: Doorkeeper
    in_flight: InFlight
    body_bytes_max: int
    request_s_max: float


@dataclass(kw_only=True)
class Running:
    """One request whose caller was let in: `run` is the framework's part of it, with the endpoint inside."""

    kit: Kit
    run: Run
    request: Request
    may: May
    context: Context
    asked: Asked | None = None
    _let_in_at: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    async def read(self) -> Response:
        unit = Unit(self.kit.runtime.mongo, self.context)
        response = await self._in(unit)
        assert unit.change.is_empty, "a route that reads must not change anything"
        return response

    async def command(self) -> Response:
        runtime, asked = self.kit.runtime, self.asked
        if asked is None:
            return await runtime.perform(self.context, self._attempt)
        with self.kit.in_flight.holding(asked):
            try:
                return await runtime.perform(self.context, self._attempt)
            except Unavailable:  # It may be settled later; who sends it again finds out.
                raise
            except Refusal as refusal:
                kept = None
                with suppress(PyMongoError):  # Then it is not known better than the refusal says.
                    kept = await idempotency.kept_answer_at_last(runtime.mongo, asked)
                if kept is None:
                    raise refusal from None
                return kept

    async def _attempt(self, unit: Unit) -> Response:
        await self._let_in_again(unit)
        if self.asked is not None:
            kept = await idempotency.kept_answer(unit.mongo, self.asked)
            if kept is not None:
                return kept
        response = await self._in(unit)
        assert response.status_code < 400, "a route refuses by raising a Refusal"
        if self.asked is not None:
            idempotency.keep(unit, self.asked, response)
        return response

    async def _let_in_again(self, unit: Unit) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._let_in_at > LET_IN_S_MAX:
            caller = await self.kit.authenticator.caller(self.request, self.may)
            self.context = replace(self.context, actor=caller.actor, on_behalf_of=caller.on_behalf_of)
            self._let_in_at = now
        unit.context = self.context

    async def _in(self, unit: Unit) -> Response:
        visit = visit_of(self.request)
        visit.unit, visit.version = unit, None
        response = await self.run(self.request)
        if visit.version is not None:
            response.headers["ETag"] = f'"{visit.version}"'
        return response
