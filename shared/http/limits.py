"""How much of a request we take, and how long we wait for it.

A body is counted while it arrives, so an over-long one is refused at its 1,048,577th byte, whatever its
Content-Length said. The time limit is one for the whole request, from its headers to its answer.

A client that is still sending when we have already answered would see its connection reset instead of the
answer. So `drain` first reads on and forgets what comes, for a short while; who sends more than that gets the
answer and a closed connection.
"""

import asyncio
import re
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from starlette.types import Message, Receive, Scope

from shared.errors import Malformed, Refusal, TooLarge

DRAIN_BYTES_MAX = 64 * 1_048_576
DRAIN_S_MAX = 3.0
JSON = "application/json"

_CONTROL = re.compile("[\x00-\x1f\x7f]")


class TooSlow(Refusal):
    """The request did not arrive in time."""

    status = 408


class UnsupportedMediaType(Refusal):
    status = 415


class Gone(Exception):
    """The client closed the connection before its request was there: nobody waits for an answer."""


class Incoming:
    """The rest of a request: `receive` is handed on in place of the server's own."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        headers = dict(scope["headers"])
        self._announced = int(length) if (length := headers.get(b"content-length", b"")).isdigit() else 0
        self._waits_for_continue = headers.get(b"expect", b"").lower() == b"100-continue"
        self.complete = self._announced == 0 and b"transfer-encoding" not in headers
        self._begun = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._begun = True
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.complete = True
        return message

    async def read(self, bytes_max: int) -> bytes:
        """All of it, or TooLarge."""
        if self._announced > bytes_max:
            raise _too_large(bytes_max)
        chunks, size = [], 0
        while not self.complete:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > bytes_max:
                raise _too_large(bytes_max)
        return b"".join(chunks)

    async def drain(self) -> bool:
        """Let go of what was not read. False: there is more, so the connection must be closed."""
        if self._waits_for_continue and not self._begun:  # It has not sent anything yet, and need not.
            return self.complete
        size = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S_MAX):
                while not self.complete and size <= DRAIN_BYTES_MAX:
                    size += len((await self.receive()).get("body", b""))
        return self.complete


def check_address(scope: Scope) -> None:
    """A path and a query are texts as well: what is hidden in their escapes would reach a database."""
    raw = scope.get("raw_path", b"") + b"?" + scope["query_string"]
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise _address_malformed() from None
    if _CONTROL.search(text):
        raise _address_malformed()


def check_media_type(content_type: str | None) -> None:
    """A body is JSON and says so: a form of another site cannot send one without asking first."""
    kind, _, parameters = (content_type or "").partition(";")
    charset = parameters.strip().lower()
    if kind.strip().lower() != JSON or charset not in ("", "charset=utf-8", 'charset="utf-8"'):
        raise UnsupportedMediaType("media_type_unsupported", f"The body must be {JSON}", expected=JSON)


def one_header(values: list[str], name: str) -> str | None:
    """Of a header that must not be repeated, its value."""
    if len(values) > 1:
        raise Malformed("header_repeated", f"The header {name} is there more than once", header=name)
    return values[0] if values else None


def _address_malformed() -> Malformed:
    return Malformed("address_malformed", "The address holds what is no text")


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge("body_too_large", "The body is too large", bytes_max=bytes_max)
