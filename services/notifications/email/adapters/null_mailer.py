"""The twin of the SMTP mailer that sends nothing: every message is accepted, the last ones are
remembered.
"""

from collections import deque
from email.message import EmailMessage

from services.notifications.email.domain import Accepted, Answer

REMEMBERED_MAX = 500


class NullMailer:
    def __init__(self) -> None:
        self.sent: deque[tuple[EmailMessage, str, str]] = deque(maxlen=REMEMBERED_MAX)

    async def send(self, message: EmailMessage, envelope_from: str, to: str) -> Answer:
        self.sent.append((message, envelope_from, to))
        return Accepted(250, "not sent anywhere")

    async def close(self) -> None:
        """Nothing is open."""
