"""Sends webhooks over HTTP to addresses that other people chose.

In order: wait for one of the endpoint's ten places; check the URL again (the rules may be newer than the
endpoint); a pooled connection or a new one (dialling.py); POST; read the status; read at most 16 KiB of
the answer, and close if there is more. The clock starts once the place is had: waiting behind one's own
requests is not the receiver's slowness. The status decides: a receiver that said 2xx and then stumbled
over its own body has the message.

A used connection that turns out closed before a byte of the answer came is nobody's fault: the request
goes once more at once, on the same time budget. That is safe because receivers know a message by its
webhook-id.

Not needed for correctness: the pool, the cache of addresses (10 s), the places. A sender made anew sends
the same things more slowly.
"""

import asyncio
import errno
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.http_exceptions import LineTooLong
from yarl import URL

from services.notifications.webhooks.adapters.dialling import (
    EXACT_TIMEOUTS_BELOW_S,
    AddressDenied,
    Call,
    Connector,
    Lookup,
    Resolver,
    current_call,
)
from services.notifications.webhooks.addresses import Gate, check_url
from services.notifications.webhooks.domain import Attempt, ErrorClass, Outcome, error_class_of, retry_after_s
from shared.clock import Clock, SystemClock
from shared.errors import Invalid

USER_AGENT = "Concord-Webhooks/1"
CHECKED_URLS_MAX = 10_000
_TIMEOUT_S_MIN = 0.001  # To aiohttp, nothing left would mean no limit.


@dataclass(frozen=True, kw_only=True)
class SenderLimits:
    in_flight_per_endpoint_max: int = 10
    in_flight_max: int = 2_000
    connect_timeout_s: float = 5.0
    idle_connection_s: float = 15.0
    address_cache_s: int = 10
    lookup_threads_max: int = 32
    response_read_bytes_max: int = 16 * 1024
    response_kept_bytes_max: int = 4 * 1024
    header_bytes_max: int = 16 * 1024
    header_line_bytes_max: int = 8_190
    header_lines_max: int = 64


_FAILURES = (Invalid, aiohttp.ClientError, TimeoutError, OSError)
_OWN_FAULTS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


class HttpSender:
    """One for the process, made inside the running loop and closed with the service."""

    def __init__(
        self,
        gate: Gate,
        *,
        limits: SenderLimits | None = None,
        lookup: Lookup | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._gate = gate
        self._limits = limits or SenderLimits()
        self._clock = clock or SystemClock()
        self._places = _Places(self._limits.in_flight_per_endpoint_max, self._limits.in_flight_max)
        self._resolver = Resolver(gate, lookup, threads_max=self._limits.lookup_threads_max)
        self._session = self._open(tls or ssl.create_default_context())

    def _open(self, tls: ssl.SSLContext) -> aiohttp.ClientSession:
        limits = self._limits
        return aiohttp.ClientSession(
            connector=Connector(
                self._gate,
                self._resolver,
                tls,
                cache_s=limits.address_cache_s,
                idle_s=limits.idle_connection_s,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT},
            skip_auto_headers=("Accept", "Accept-Encoding"),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=limits.response_read_bytes_max,
            max_line_size=limits.header_line_bytes_max,
            max_field_size=limits.header_line_bytes_max,
            max_headers=limits.header_lines_max,
        )

    async def send(self, attempt: Attempt) -> Outcome:
        """Whatever happens outside is an Outcome; what is raised is a bug of ours, or a cancellation."""
        async with self._places.one_of(attempt.endpoint_id):
            started = time.perf_counter()
            if self._session.closed:
                return Outcome(status=None, error_class=ErrorClass.INTERNAL, duration_ms=_ms_since(started))
            return await self._sent(attempt, started, may_resend=True)

    async def close(self) -> None:
        await self._session.close()
        await self._resolver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _sent(self, attempt: Attempt, started: float, *, may_resend: bool) -> Outcome:
        call = Call()
        current_call.set(call)
        try:
            return await self._posted(attempt, started, call)
        except _FAILURES as error:
            if may_resend and _was_stale(error, call):
                return await self._sent(attempt, started, may_resend=False)
            failed = ErrorClass.INTERNAL if self._session.closed else _error_class(error, call)
            return Outcome(
                status=None, error_class=failed, duration_ms=_ms_since(started), address=call.address
            )

    async def _posted(self, attempt: Attempt, started: float, call: Call) -> Outcome:
        async with self._session.post(
            _dialled_url(attempt.url, self._gate),
            data=attempt.body,
            headers=attempt.headers,
            allow_redirects=False,
            timeout=self._timeout(attempt, started),
        ) as response:
            failed = error_class_of(response.status)
            if _header_bytes(response) > self._limits.header_bytes_max:
                failed = ErrorClass.TOO_LARGE
                response.close()
            return Outcome(
                status=response.status,
                error_class=failed,
                response_head=await self._head(response),
                duration_ms=_ms_since(started),
                address=call.address,
                retry_after_s=retry_after_s(response.headers.get("Retry-After"), self._clock.real()),
            )

    def _timeout(self, attempt: Attempt, started: float) -> aiohttp.ClientTimeout:
        left_s = attempt.timeout_s - (time.perf_counter() - started)
        return aiohttp.ClientTimeout(
            total=max(left_s, _TIMEOUT_S_MIN),
            connect=min(self._limits.connect_timeout_s, attempt.timeout_s),
            ceil_threshold=EXACT_TIMEOUTS_BELOW_S,
        )

    async def _head(self, response: aiohttp.ClientResponse) -> bytes:
        """The beginning of the answer. Read to its end the connection is kept, else it is closed."""
        kept, left = b"", self._limits.response_read_bytes_max
        try:
            while left and (chunk := await response.content.read(left)):
                left -= len(chunk)
                kept += chunk[: self._limits.response_kept_bytes_max - len(kept)]
        except _FAILURES:
            response.close()
        if not response.content.at_eof():
            response.close()
        return kept


class _Places:
    """Ten requests at a time for an endpoint, and a ceiling over all of them."""

    def __init__(self, per_endpoint_max: int, total_max: int) -> None:
        self._per_endpoint_max = per_endpoint_max
        self._total = asyncio.Semaphore(total_max)
        self._of_endpoint: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def one_of(self, endpoint_id: str) -> AsyncIterator[None]:
        free, users = self._of_endpoint.get(endpoint_id) or (asyncio.Semaphore(self._per_endpoint_max), 0)
        self._of_endpoint[endpoint_id] = (free, users + 1)
        try:
            # Its own place first: who waits for an endpoint must not hold one of the places of all.
            async with free, self._total:
                yield
        finally:
            free, users = self._of_endpoint[endpoint_id]
            if users == 1:
                del self._of_endpoint[endpoint_id]
            else:
                self._of_endpoint[endpoint_id] = (free, users - 1)


@lru_cache(maxsize=CHECKED_URLS_MAX)
def _dialled_url(url: str, gate: Gate) -> URL:
    return URL(check_url(url, gate).url, encoded=True)


def _error_class(error: Exception, call: Call) -> ErrorClass:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if call.denied or isinstance(cause, AddressDenied | Invalid | aiohttp.InvalidURL):
        return ErrorClass.SSRF
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ErrorClass.DNS
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return ErrorClass.TLS
    if isinstance(cause, OSError) and cause.errno in _OWN_FAULTS:
        return ErrorClass.INTERNAL
    if call.address is None:
        return ErrorClass.CONNECT if call.dialled else ErrorClass.DNS
    if isinstance(error, TimeoutError):
        return ErrorClass.TIMEOUT
    if isinstance(error, aiohttp.ClientResponseError) and _is_too_long(error):
        return ErrorClass.TOO_LARGE
    return ErrorClass.RESET


def _was_stale(error: Exception, call: Call) -> bool:
    """A pooled connection that ended before a byte of the answer came."""
    if call.dialled or call.address is None or isinstance(error, TimeoutError):
        return False
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # Else it holds the part of an answer that did come.
    return isinstance(error, aiohttp.ClientOSError | ConnectionResetError)


def _is_too_long(error: aiohttp.ClientResponseError) -> bool:
    """aiohttp tells its limits apart from nonsense only in the cause's cause."""
    return error.__cause__ is not None and isinstance(error.__cause__.__cause__, LineTooLong)


def _header_bytes(response: aiohttp.ClientResponse) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in response.raw_headers)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
