"""Authorization codes: good for a minute, for one client, and for one attempt."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.local.oidc.sign_in import SignIn

CODE_LIFETIME_S = 60
CODES_MAX = 10_000
_CODE_BYTES = 32


@dataclass(frozen=True)
class CodeGrant:
    sign_in: SignIn
    subject: str
    issued_at: datetime


class Codes:
    def __init__(self, clock_real: Callable[[], datetime]) -> None:
        self._clock_real = clock_real
        self._open: dict[str, CodeGrant] = {}

    def issue(self, sign_in: SignIn, subject: str) -> str:
        self._forget_expired()
        code = secrets.token_urlsafe(_CODE_BYTES)
        self._open[code] = CodeGrant(sign_in, subject, self._clock_real())
        return code

    def take(self, code: str) -> CodeGrant | None:
        """The grant behind a code. Asking spends it, so nobody can guess at the rest a second time."""
        grant = self._open.pop(code, None)
        return None if grant is None or self._expired(grant) else grant

    def _expired(self, grant: CodeGrant) -> bool:
        return self._clock_real() - grant.issued_at >= timedelta(seconds=CODE_LIFETIME_S)

    def _forget_expired(self) -> None:
        self._open = {code: grant for code, grant in self._open.items() if not self._expired(grant)}
        while len(self._open) >= CODES_MAX:
            self._open.pop(next(iter(self._open)))
