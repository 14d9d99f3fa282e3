"""Hands messages to a mail server over a few connections that are kept open.

One message is one transaction with one recipient: MAIL, RCPT, DATA, the message. How far it got decides
what a failure means. A refusal of the recipient or of the message is about them, so a 5xx there is
permanent. A refusal before that (the greeting, TLS, the login, our own sender address) is about us and
the server: nothing is wrong with the message, so it waits, whatever the code. A connection that ends
before the message was handed over is transient. Once the last byte of it is written, silence means that
nobody knows: Unknown.

A kept connection may have been closed by the server meanwhile. When it fails before RCPT was answered, a
fresh one is tried at once. A connection is given up after 100 messages, after an idle minute, and after
every failure that leaves it in the middle of something.
"""

import asyncio
import re
import ssl
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from enum import StrEnum
from types import TracebackType
from typing import Self

import aiosmtplib

from services.notifications.email.domain import (
    Answer,
    PermanentRefusal,
    TransientRefusal,
    Unknown,
    answer_of,
    check_address,
)

REPLY_CHARACTERS_MAX = 300

_QUIT_TIMEOUT_S = 2.0
_READY_FOR_MESSAGE = 354
_NOT_ALLOWED = 553
_LEADING_STOP = re.compile(rb"^\.", re.MULTILINE)
_LOST = (aiosmtplib.SMTPException, OSError, EOFError)


class Tls(StrEnum):
    """How the connection is protected. `off` is for a server on this machine."""

    REQUIRED = "required"
    OPPORTUNISTIC = "opportunistic"
    IMPLICIT = "implicit"
    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class SmtpSettings:
    host: str
    port: int
    tls: Tls = Tls.REQUIRED
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    helo_name: str = "localhost"
    connections_max: int = 4
    messages_per_connection_max: int = 100
    idle_s_max: float = 60.0
    connect_timeout_s: float = 10.0
    command_timeout_s: float = 30.0
    handover_timeout_s: float = 120.0


@dataclass
class _Link:
    client: aiosmtplib.SMTP
    messages: int = 0
    idle_since: float = 0.0


class SmtpMailer:
    """One for the process; `close` it with the service."""

    def __init__(self, settings: SmtpSettings, *, tls_context: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls_context = tls_context
        self._places = asyncio.Semaphore(settings.connections_max)
        self._idle: list[_Link] = []

    async def send(self, message: EmailMessage, envelope_from: str, to: str) -> Answer:
        """Whatever the server does is an Answer; what is raised is a bug of ours, or a cancellation."""
        check_address(envelope_from), check_address(to)
        async with self._places:
            kept = self._kept()
            answer = kept and await self._sent(kept, message, envelope_from, to)
            if answer:
                return answer
            try:
                fresh = await self._connected()
            except _LOST as error:
                return _not_reached(error)
            answer = await self._sent(fresh, message, envelope_from, to)
            return answer or TransientRefusal(None, "The connection was lost")

    async def close(self) -> None:
        while self._idle:
            await _quit(self._idle.pop().client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _sent(self, link: _Link, message: EmailMessage, envelope_from: str, to: str) -> Answer | None:
        """None when the connection was lost while the message was still ours alone."""
        finished = False
        try:
            answer = await self._transaction(link.client, message, envelope_from, to)
            await self._keep(link, answer)
            finished = True
            return answer
        except _LOST:
            return None
        finally:
            # A connection left in the middle of something, by a failure or a cancellation, is of no more use.
            if not finished:
                link.client.close()

    async def _transaction(
        self, client: aiosmtplib.SMTP, message: EmailMessage, envelope_from: str, to: str
    ) -> Answer:
        is_wide = not to.isascii()
        if is_wide and not client.supports_extension("smtputf8"):
            return PermanentRefusal(_NOT_ALLOWED, "5.6.7 The server takes no address outside ASCII")
        encoding, options = ("utf-8", ("SMTPUTF8",)) if is_wide else ("ascii", ())
        try:
            await client.mail(envelope_from, options=options, encoding=encoding)
        except aiosmtplib.SMTPSenderRefused as refused:
            return TransientRefusal(refused.code, _tidy(refused.message))
        try:
            await client.rcpt(to, encoding=encoding)
        except aiosmtplib.SMTPRecipientRefused as refused:
            return answer_of(refused.code, _tidy(refused.message))
        ready = await client.execute_command(b"DATA")
        if ready.code != _READY_FOR_MESSAGE:
            refusal = answer_of(ready.code, _tidy(ready.message))
            return (
                refusal
                if isinstance(refusal, PermanentRefusal)
                else TransientRefusal(ready.code, refusal.text)
            )
        return await self._handed_over(client, message.as_bytes(policy=SMTPUTF8 if is_wide else SMTP))

    async def _handed_over(self, client: aiosmtplib.SMTP, content: bytes) -> Answer:
        if client.protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        client.protocol.write(_LEADING_STOP.sub(b"..", content) + b".\r\n")
        try:
            reply = await client.protocol.read_response(timeout=self._settings.handover_timeout_s)
        except _LOST as error:
            client.close()
            return Unknown(_tidy(str(error)))
        return answer_of(reply.code, _tidy(reply.message))

    async def _connected(self) -> _Link:
        settings = self._settings
        starts_tls = {Tls.REQUIRED: True, Tls.OPPORTUNISTIC: None}
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user,
            password=settings.password,
            local_hostname=settings.helo_name,
            timeout=settings.command_timeout_s,
            use_tls=settings.tls is Tls.IMPLICIT,
            start_tls=starts_tls.get(settings.tls, False),
            tls_context=self._tls_context,
        )
        await client.connect(timeout=settings.connect_timeout_s)
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        return _Link(client)

    def _kept(self) -> _Link | None:
        """The connection used last, if it is fit to be used; the others grow old and are closed."""
        now = time.monotonic()
        fit = []
        for link in self._idle:
            if link.client.is_connected and now - link.idle_since <= self._settings.idle_s_max:
                fit.append(link)
            else:
                link.client.close()
        self._idle = fit
        return fit.pop() if fit else None

    async def _keep(self, link: _Link, answer: Answer) -> None:
        link.messages += 1
        if isinstance(answer, TransientRefusal | PermanentRefusal) and link.client.is_connected:
            await _reset(link.client)
        if not link.client.is_connected:
            return
        if link.messages >= self._settings.messages_per_connection_max:
            await _quit(link.client)
            return
        link.idle_since = time.monotonic()
        self._idle.append(link)


async def _reset(client: aiosmtplib.SMTP) -> None:
    """A refused transaction is still open on the server: end it, or end the connection."""
    try:
        await client.rset()
    except _LOST:
        client.close()


async def _quit(client: aiosmtplib.SMTP) -> None:
    """Take leave; a server that does not answer to that is left all the same."""
    try:
        await client.quit(timeout=_QUIT_TIMEOUT_S)
    except _LOST:
        client.close()


def _not_reached(error: Exception) -> TransientRefusal:
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0:
        return TransientRefusal(error.code, _tidy(error.message))
    return TransientRefusal(None, _tidy(str(error)))


def _tidy(text: str) -> str:
    """A reply as it can be kept: one line, no half characters, not the server's whole life story."""
    return " ".join(text.encode(errors="replace").decode().split())[:REPLY_CHARACTERS_MAX]
