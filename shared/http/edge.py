"""The outermost part of the kit, around the framework: what holds for every request, whatever it asks for.

In order: a correlation id and the time at which it came; a span under the caller's; the application; one kind
of answer for everything that went wrong; the headers that every answer has; what the caller is still sending
is let go of; one line in the log, unless it is of no interest, and one count in the metrics.

Nothing of the request's content is logged: not its query, not its body, no header.
"""

from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.clock import Clock
from shared.http.limits import Gone, Incoming
from shared.http.problems import problem, refusal_of
from shared.http.visit import Visit, current, enter
from shared.ids import uuid7
from shared.telemetry import Metrics, current_traceparent, span_under

CLIENT_GONE = 499
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger()


class Edge:
    """`quiet`: paths that are asked every few seconds by machines and are of no interest to anybody."""

    def __init__(self, app: ASGIApp, *, clock: Clock, metrics: Metrics, quiet: frozenset[str]) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._quiet:
            await self._app(scope, receive, send)
            return
        visit = self._visit(scope, receive)
        enter(scope, visit)
        current.set(visit)
        parent = Headers(scope=scope).get("traceparent")
        with structlog.contextvars.bound_contextvars(correlation_id=visit.correlation_id):
            with span_under(parent, visit.method, SpanKind.SERVER) as span:
                visit.traceparent = current_traceparent()
                try:
                    await self._answer(scope, visit, send)
                finally:
                    self._tell(visit, span)

    def _visit(self, scope: Scope, receive: Receive) -> Visit:
        return Visit(
            correlation_id=str(uuid7()),
            received_at=self._clock.now(),
            method=scope["method"] if scope["method"] in _METHODS else "OTHER",
            incoming=Incoming(scope, receive),
        )

    async def _answer(self, scope: Scope, visit: Visit, send: Send) -> None:
        outgoing = _Outgoing(visit, send)
        try:
            await self._app(scope, visit.incoming.receive, outgoing.send)
        except Gone:
            visit.status = CLIENT_GONE
        except Exception as error:
            refusal = refusal_of(error)
            if visit.status:  # Half an answer is out: only a closed connection says that it is not whole.
                raise
            visit.code = refusal.code
            await problem(refusal, visit.correlation_id)(scope, visit.incoming.receive, outgoing.send)

    def _tell(self, visit: Visit, span: Span) -> None:
        span.update_name(f"{visit.method} {visit.route}")
        attributes: MutableMapping[str, Any] = {
            "http.request.method": visit.method,
            "http.route": visit.route,
            "http.response.status_code": visit.status,
            "concord.correlation_id": visit.correlation_id,
        }
        span.set_attributes(attributes)
        if visit.status >= 500:
            span.set_status(StatusCode.ERROR)
        self._metrics.requests_total.labels(visit.method, visit.route, str(visit.status)).inc()
        self._metrics.request_s.labels(visit.method, visit.route).observe(visit.duration_ms / 1000)
        if visit.quiet:
            return
        log.info(
            "request",
            method=visit.method,
            route=visit.route,
            status=visit.status,
            duration_ms=visit.duration_ms,
            code=visit.code,
            actor=visit.actor_id or None,
        )


class _Outgoing:
    """The answer on its way out."""

    def __init__(self, visit: Visit, send: Send) -> None:
        self._visit = visit
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        await self._send(message)

    async def _start(self, message: Message) -> None:
        visit = self._visit
        headers = MutableHeaders(raw=list(message["headers"]))
        headers["Correlation-Id"] = visit.correlation_id
        headers["X-Content-Type-Options"] = "nosniff"
        if visit.private or message["status"] >= 400:
            headers["Cache-Control"] = "no-store"
        if headers.get("connection") != "close" and not await visit.incoming.drain():
            headers["Connection"] = "close"
        message["headers"] = headers.raw
        visit.status = message["status"]
