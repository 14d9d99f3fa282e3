"""The way out to receivers: one real sender, and a null twin for an installation that sends nothing."""

from typing import Protocol

from services.notifications.webhooks.domain import Attempt, Outcome


class Sender(Protocol):
    """Whatever happens outside is an Outcome; what is raised is a bug of ours, or a cancellation."""

    async def send(self, attempt: Attempt) -> Outcome: ...

    async def close(self) -> None: ...
