"""A mail server of our own on loopback that delivers nowhere: for the demo and for the tests.

It speaks real SMTP in this process and this event loop, on a free port, and keeps the last 500 messages
in memory. It can be told to answer a recipient with any reply, so that a demo can show a bounce.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Self
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT_MESSAGES_MAX = 500
MESSAGE_BYTES_MAX = 1_048_576
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class CaughtMessage:
    envelope_from: str
    recipients: tuple[str, ...]
    received_at: datetime
    subject: str
    body: str
    headers: tuple[tuple[str, str], ...]
    content: bytes = field(repr=False)
    encrypted: bool


class DemoMailbox:
    """`start` it, point the mailer at `host` and `port`, read `messages`, `close` it."""

    host = LOOPBACK

    def __init__(
        self, *, replies: Mapping[str, str] | None = None, tls_context: ssl.SSLContext | None = None
    ) -> None:
        self._replies = replies or {}
        self._tls_context = tls_context
        self._caught: deque[CaughtMessage] = deque(maxlen=KEPT_MESSAGES_MAX)
        self._server: asyncio.Server | None = None
        self._open: WeakSet[SMTP] = WeakSet()
        self.connections_made = 0

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self.host, port)

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("The mailbox is not started")
        return int(self._server.sockets[0].getsockname()[1])

    def messages(self, to: str | None = None) -> tuple[CaughtMessage, ...]:
        """The oldest first; those for one recipient when it is named."""
        return tuple(caught for caught in self._caught if to is None or to in caught.recipients)

    async def close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self.drop_connections()
        await self._server.wait_closed()
        self._server = None

    def drop_connections(self) -> None:
        """End every connection without a word, as a server that restarts does."""
        for connection in list(self._open):
            if connection.transport is not None:
                connection.transport.close()
        self._open.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _connection(self) -> SMTP:
        self.connections_made += 1
        connection = SMTP(
            self,
            hostname="localhost",
            ident="Concord mailbox",
            data_size_limit=MESSAGE_BYTES_MAX,
            enable_SMTPUTF8=True,
            tls_context=self._tls_context,
            loop=asyncio.get_running_loop(),
        )
        self._open.add(connection)
        return connection

    # The server finds its hooks by these names.
    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self._replies:
            return self._replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        message = message_from_bytes(content, policy=default)
        self._caught.append(
            CaughtMessage(
                envelope_from=envelope.mail_from or "",
                recipients=tuple(envelope.rcpt_tos),
                received_at=datetime.now(UTC),
                subject=str(message["Subject"] or ""),
                body=_plain_text(message),
                headers=tuple((name, str(value)) for name, value in message.items()),
                content=content,
                encrypted=session.ssl is not None,
            )
        )
        return "250 OK: message kept"


def _plain_text(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain",))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
