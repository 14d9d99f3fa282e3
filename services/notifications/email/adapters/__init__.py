"""The way out to a mail server, a mailbox of our own for the demo and the tests, and a null twin."""

from email.message import EmailMessage
from typing import Protocol

from services.notifications.email.domain import Answer


class Mailer(Protocol):
    """Whatever the server does is an Answer; what is raised is a bug of ours, or a cancellation."""

    async def send(self, message: EmailMessage, envelope_from: str, to: str) -> Answer: ...

    async def close(self) -> None: ...
