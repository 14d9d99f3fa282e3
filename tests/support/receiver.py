"""A receiver of webhooks on loopback that behaves as badly as the real ones do.

The path says how: /ok, /status/503, /gone, /throttled, /redirect, /hang, /slow-loris, /trickle, /huge,
/long-header, /many-headers, /nonsense, /gzip, /reset, /half, /stale, /close. `answers` gives a path its own
run of statuses, the last of which stays; `says` the same in bytes.

A plain asyncio protocol without a framework, so that a sender's speed can be measured against it too.
"""

import asyncio
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

METADATA_URL = "http://169.254.169.254/latest/meta-data/"
HUGE_BYTES = 10_000_000_000
HUGE_SENT_BYTES = 1_000_000
DRIP_S = 0.01
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Received:
    """One request; header names are in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float
    connection: int

    def is_signed_by(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, self.headers, json_parse=False)
        except WebhookVerificationError:
            return False
        return True


def answer(status: int, body: bytes = b"", /, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode() + body


@dataclass
class Receiver:
    """`async with Receiver() as receiver`: listening on `receiver.url(path)`."""

    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    remembers: bool = True
    requests: list[Received] = field(default_factory=list)
    under_way: Counter[str] = field(default_factory=Counter)
    under_way_max: Counter[str] = field(default_factory=Counter)
    connections_made: int = 0
    connections_open: int = 0
    _scripts: dict[str, list[bytes]] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), self.host, 0, ssl=self.tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def url(self, path: str, host: str | None = None) -> str:
        return f"{'https' if self.tls else 'http'}://{host or self.host}:{self.port}{path}"

    def answers(self, path: str, *statuses: int) -> None:
        self.says(path, *(answer(status) for status in statuses))

    def says(self, path: str, *answers: bytes) -> None:
        self._scripts[path] = list(answers)

    def scripted(self, path: str) -> bytes | None:
        script = self._scripts.get(path)
        if not script:
            return None
        return script.pop(0) if len(script) > 1 else script[0]

    def note(self) -> None:
        self._changed.set()

    async def until(self, holds: Callable[[], bool], timeout_s: float = 5) -> None:
        """Wait for a condition on what was received; a failure says what there is instead."""
        try:
            async with asyncio.timeout(timeout_s):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(
                f"not so after {timeout_s} s: {len(self.requests)} requests, {self.connections_open} open"
            ) from None


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._buffer = b""
        self._served = 0
        self._number = 0
        self._path: str | None = None
        self._drip: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.connections_made += 1
        self._receiver.connections_open += 1
        self._number = self._receiver.connections_made

    def connection_lost(self, exc: Exception | None) -> None:
        self._receiver.connections_open -= 1
        self._answered()
        if self._drip is not None:
            self._drip.cancel()
        self._receiver.note()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next()) is not None:
            self._serve(request)

    def _next(self) -> Received | None:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return Received(first.split(" ")[1], headers, rest[:length], time.time(), self._number)

    def _serve(self, request: Received) -> None:
        self._served += 1
        if request.path == "/stale" and self._served > 1:
            self._transport.close()
            return
        if self._receiver.remembers:
            self._receiver.requests.append(request)
        path = request.path.partition("?")[0]
        self._begin(path)
        scripted = self._receiver.scripted(path)
        self._behave(path) if scripted is None else self._answer(scripted)
        self._receiver.note()

    def _behave(self, path: str) -> None:
        kind, _, rest = path.lstrip("/").partition("/")
        if kind == "status":
            return self._answer(answer(int(rest)))
        if kind in ANSWERS:
            return self._answer(ANSWERS[kind])
        match kind:
            case "hang":
                return None
            case "reset":
                self._transport.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE
                )
                self._transport.abort()
            case "half":
                self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Le")
                self._transport.close()
            case "close":
                self._transport.write(answer(200, Connection="close"))
                self._transport.close()
            case "slow-loris":
                self._trickle(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x")
            case "trickle":
                self._trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"drop")
            case _:
                self._answer(answer(404))
        return None

    def _answer(self, data: bytes) -> None:
        self._transport.write(data)
        self._answered()

    def _trickle(self, first: bytes, drop: bytes) -> None:
        self._transport.write(first)
        self._drip = asyncio.get_running_loop().call_later(DRIP_S, self._trickle, drop, drop)

    def _begin(self, path: str) -> None:
        self._path = path
        under_way = self._receiver.under_way
        under_way[path] += 1
        self._receiver.under_way_max[path] = max(self._receiver.under_way_max[path], under_way[path])

    def _answered(self) -> None:
        if self._path is not None:
            self._receiver.under_way[self._path] -= 1
            self._path = None


ANSWERS = {
    "ok": answer(200, b'{"taken": true}'),
    "stale": answer(200),
    "gone": answer(410),
    "throttled": answer(429, Retry_After="120"),
    "redirect": answer(302, Location=METADATA_URL),
    "nonsense": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "gzip": answer(200, b"\x1f\x8b not unpacked", Content_Encoding="gzip"),
    "huge": f"HTTP/1.1 200 OK\r\nContent-Length: {HUGE_BYTES}\r\n\r\n".encode() + b"x" * HUGE_SENT_BYTES,
    "long-header": answer(200, X_Long="x" * 9_000),
    "many-headers": answer(200, **{f"X_Many_{number}": "x" * 1_000 for number in range(20)}),
}
