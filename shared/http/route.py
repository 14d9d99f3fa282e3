"""What the kit does around an endpoint, so that a route says only what is its own.

In order, each step refusing with a problem of its own:
1. who asks, and whether this route takes them (auth.py);
2. the body, under its limits, as strict JSON (limits.py, json_reading.py);
3. a POST's Idempotency-Key (idempotency.py);
4. the endpoint, in a fresh unit; its answer is made into bytes and staged beside its effect; the unit is
   committed (running.py). On a conflict all of this step again. A reading route commits nothing.

The time limit covers all four. A commit that is under way when the time is over may still land; the caller is
told so, and the same key finds out.
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_origin

from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response

from shared.errors import Invalid, Malformed
from shared.http import idempotency
from shared.http.auth import INTERNAL, PUBLIC, READING, May
from shared.http.bodies import Body, require_limits
from shared.http.json_reading import read_json
from shared.http.limits import check_address, check_media_type, one_header
from shared.http.running import Kit, Run, Running, context_of, kit_of, out_of_time
from shared.http.visit import current, visit_of

VERSION_DIGITS_MAX = 12


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What a route says of itself: whom it takes, and whether a repeated request must be known for one."""

    method: str
    may: May
    idempotency: bool


class ConcordRoute(APIRoute):
    def __init__(self, path: str, endpoint: Callable[..., Any], *, rule: Rule, **options: Any) -> None:
        self.rule = rule
        super().__init__(path, _noting_version(endpoint), **options)
        self._require_sound_bodies()

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        run = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await self._in_time(run, request)

        return handle

    def _require_sound_bodies(self) -> None:
        if self.body_field is None:
            return
        for model in _alternatives(self.body_field.field_info.annotation):
            if not (inspect.isclass(model) and issubclass(model, Body)):
                raise TypeError(
                    f"{self.path}: what a route takes derives shared.http.app.Body, {model} does not"
                )
            require_limits(model)

    async def _in_time(self, run: Run, request: Request) -> Response:
        kit, visit = kit_of(request), visit_of(request)
        visit.route, visit.private = self.path_format, self.rule.may is not PUBLIC
        limit = asyncio.timeout(kit.request_s_max)
        try:
            async with limit:
                if request.method in READING or self.rule.may is INTERNAL:
                    return await self._answer(kit, run, request)
                with kit.runtime.pace.command():
                    return await self._answer(kit, run, request)
        except TimeoutError:
            if not limit.expired():
                raise
        raise out_of_time(request)

    async def _answer(self, kit: Kit, run: Run, request: Request) -> Response:
        visit, may = visit_of(request), self.rule.may
        check_address(request.scope)
        caller = await kit.authenticator.caller(request, may)
        visit.actor_id, visit.claims = caller.actor.id, caller.claims
        if_match = None if request.method in READING else _if_match(request)
        context = context_of(kit, request, caller, if_match=if_match)
        running = Running(kit=kit, run=run, request=request, may=may, context=context)
        if request.method in READING:
            return await running.read()
        running.request = read = await self._read_body(kit, request)
        if self.rule.idempotency:
            body = await read.body()
            running.asked = idempotency.asked(request, body, actor_id=caller.actor.id, route=self._key)
        return await running.command()

    @property
    def _key(self) -> str:
        return f"{self.rule.method} {self.path_format}"

    async def _read_body(self, kit: Kit, request: Request) -> "_ReadRequest":
        body = await visit_of(request).incoming.read(kit.body_bytes_max)
        if not body:
            return _ReadRequest(request, body, None)
        check_media_type(one_header(request.headers.getlist("content-type"), "Content-Type"))
        value = read_json(body)
        if self.body_field is None and value != {}:
            raise Invalid("body_not_expected", "This takes no body")
        return _ReadRequest(request, body, value)


class _ReadRequest(Request):
    """The request for the framework, with the body as it was already read."""

    def __init__(self, request: Request, body: bytes, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._read, self._value = body, value

    async def body(self) -> bytes:
        return self._read

    async def json(self) -> Any:
        return self._value


def _noting_version(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, and a note of the version its answer speaks of, for the ETag."""
    if inspect.isasyncgenfunction(endpoint):
        return endpoint
    if not inspect.iscoroutinefunction(endpoint):
        raise TypeError(f"{endpoint.__name__} must be async: in a thread it would wait for one of a few")

    @wraps(endpoint)
    async def noting(*args: Any, **arguments: Any) -> Any:
        answer = await endpoint(*args, **arguments)
        version = getattr(answer, "version", None) if isinstance(answer, BaseModel) else None
        current.get().version = version if isinstance(version, int) else None
        return answer

    return noting


def _if_match(request: Request) -> int | None:
    """The version the caller has read; `*` is any, which is what loading asks for anyway."""
    text = one_header(request.headers.getlist("If-Match"), "If-Match")
    if text is None or text.strip() == "*":
        return None
    quoted = text.strip()
    version = quoted[1:-1]
    if quoted != f'"{version}"' or not (version.isascii() and version.isdigit()):
        raise _not_an_etag()
    if len(version) > VERSION_DIGITS_MAX:
        raise _not_an_etag()
    return int(version)


def _not_an_etag() -> Malformed:
    return Malformed("if_match_malformed", 'If-Match is the ETag of what was read, such as "7"')


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if inspect.isclass(annotation):
        return (annotation,)
    return get_args(annotation) or (annotation,)
