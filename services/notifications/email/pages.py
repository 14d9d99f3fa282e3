"""The demonstration's mailbox on a screen: each mail as whoever gets it reads it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import Field
from starlette.responses import Response

from services.notifications.email.adapters.mailbox import CaughtMessage, DemoMailbox
from services.notifications.email.domain import ADDRESS_CHARACTERS_MAX
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.language import USUAL
from shared.web.pages import Pages

SHOWN_MAX = 50


class Asked(FormModel):
    to: str | None = Field(None, max_length=ADDRESS_CHARACTERS_MAX)


@dataclass(frozen=True, kw_only=True)
class Mail:
    to: str
    subject: str
    body: str
    language: str
    received_at: datetime


def mailbox_pages(mailbox: DemoMailbox) -> Pages:
    pages = Pages("email", templates=Path(__file__).with_name("templates"))

    @pages.get("/notifications/mailbox", may="mail:read")
    async def read_mailbox(ask: Ask) -> Response:
        """The last messages, the newest first. There only in demo mode."""
        to = ask.query(Asked).to
        caught = [_mail(one) for one in reversed(mailbox.messages(to))]
        receivers = sorted({address for one in mailbox.messages() for address in one.recipients})
        pairs = [(address, address) for address in receivers]
        return ask.page(
            "email/mailbox.html", mails=caught[:SHOWN_MAX], count=len(caught), receivers=pairs, to=to
        )

    return pages


def _mail(caught: CaughtMessage) -> Mail:
    headers = {name.lower(): value for name, value in caught.headers}
    return Mail(
        to=headers.get("to") or ", ".join(caught.recipients),
        subject=caught.subject,
        body=caught.body,
        language=headers.get("content-language", USUAL),
        received_at=caught.received_at,
    )
