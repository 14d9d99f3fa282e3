"""The twin of the HTTP sender that sends nothing: every delivery is accepted, the last ones are
remembered.
"""

from collections import deque

from services.notifications.webhooks.domain import Attempt, Outcome

REMEMBERED_MAX = 500


class NullSender:
    def __init__(self) -> None:
        self.attempts: deque[Attempt] = deque(maxlen=REMEMBERED_MAX)

    async def send(self, attempt: Attempt) -> Outcome:
        self.attempts.append(attempt)
        return Outcome(status=204, error_class=None, duration_ms=0.0)

    async def close(self) -> None:
        """Nothing is open."""
