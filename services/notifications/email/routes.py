"""The demo's mailbox: what would have gone out, to be read by whoever shows the demo."""

from datetime import datetime
from typing import Annotated

from fastapi import Query

from services.notifications.email.adapters.mailbox import CaughtMessage, DemoMailbox
from services.notifications.email.domain import ADDRESS_CHARACTERS_MAX
from shared.http.app import Answer, Routes, Work


class MessageOut(Answer):
    recipients: list[str]
    subject: str
    body: str
    language: str | None
    message_id: str | None
    received_at: datetime


class MailboxOut(Answer):
    items: list[MessageOut]


def mailbox_routes(mailbox: DemoMailbox) -> Routes:
    routes = Routes("notifications", room="email")

    @routes.get("/mailbox", may="mail:read")
    async def read_mailbox(
        work: Work, to: Annotated[str | None, Query(max_length=ADDRESS_CHARACTERS_MAX)] = None
    ) -> MailboxOut:
        """The last messages, the newest first. There only in demo mode."""
        return MailboxOut(items=[_message(caught) for caught in reversed(mailbox.messages(to))])

    return routes


def _message(caught: CaughtMessage) -> MessageOut:
    headers = {name.lower(): value for name, value in caught.headers}
    return MessageOut(
        recipients=list(caught.recipients),
        subject=caught.subject,
        body=caught.body,
        language=headers.get("content-language"),
        message_id=headers.get("message-id"),
        received_at=caught.received_at,
    )
