"""Who a browser is: a sealed cookie, made at sign-in, that says whose it is and how long it holds.

Nothing is kept on our side: every service of the house opens the same cookie with a key derived from the
house's internal key. What the person may do is not in it; the directory is asked for each request, so a
withdrawn role ends here as fast as it does for a token. A session also ends when its person signed out
everywhere after it began.

The cookie is `__Host-`, which browsers take from us alone and over https alone, or from this very machine:
they trust 127.0.0.1 as it is. Over plain http from elsewhere, which nobody should use, the prefix would not
be taken, so the name goes without it.

Signing out leaves the cookie there and says in it that it has ended. It lets nobody in, but a form that was
still open in another window is then known to be that person's, and is kept for nobody else (kept_forms.py).
"""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from starlette.requests import Request
from starlette.responses import Response

from shared.clock import Clock

NAME = "concord-session"
HOST_ONLY = "__Host-"
LASTS = timedelta(hours=12)
# A browser keeps the cookie longer than it lets anybody in: whose form was kept is then still known.
KEPT_S = 7 * 86_400
# A cookie is 4 kB at most; what is kept on our side may be longer.
LENGTH_MAX = 2_000_000
_KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, kw_only=True)
class Session:
    """`name` is for the page's corner only; it decides nothing."""

    issuer: str
    subject: str
    name: str
    started_at: datetime
    ends_at: datetime


class Seal:
    """Makes what browsers keep for us unreadable and unchangeable for them. `purpose` keeps uses apart."""

    def __init__(self, house_key: str, purpose: str) -> None:
        secret = house_key.encode() or os.urandom(_KEY_BYTES)
        derive = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"concord {purpose}".encode())
        self._cipher = AESGCM(derive.derive(secret))

    def close(self, value: dict[str, str]) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, json.dumps(value).encode(), None)
        return urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str) -> dict[str, str] | None:
        """None: it is none of ours, or was changed."""
        if len(text) > LENGTH_MAX:
            return None
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            opened = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (ValueError, InvalidTag):
            return None
        value = json.loads(opened)
        assert isinstance(value, dict), "only `close` makes these"
        return value


class Sessions:
    def __init__(self, house_key: str, clock: Clock, *, secure: bool) -> None:
        self._seal = Seal(house_key, "session")
        self._clock = clock
        self.secure = secure
        self.cookie = self.named(NAME)

    def named(self, name: str) -> str:
        """A cookie's whole name, as strict as this origin can have it."""
        return f"{HOST_ONLY}{name}" if self.secure else name

    def begin(self, response: Response, *, issuer: str, subject: str, name: str) -> None:
        now = self._clock.real()
        session = Session(issuer=issuer, subject=subject, name=name, started_at=now, ends_at=now + LASTS)
        self._keep(response, session)

    def end(self, response: Response, session: Session | None) -> None:
        if session is None:
            self.set(response, NAME, "", 0)
        else:
            self._keep(response, replace(session, name="", ends_at=session.started_at))

    def of(self, request: Request) -> Session | None:
        """Whoever this browser was signed in as, also when the session's time is over."""
        plain = self._seal.open(request.cookies.get(self.cookie, ""))
        if plain is None:
            return None
        times = {name: datetime.fromisoformat(plain[name]) for name in ("started_at", "ends_at")}
        return Session(issuer=plain["issuer"], subject=plain["subject"], name=plain["name"], **times)

    def is_live(self, session: Session) -> bool:
        return session.started_at <= self._clock.real() < session.ends_at

    def set(self, response: Response, name: str, value: str, max_age_s: int) -> None:
        """Any cookie of ours: for this origin alone, and for no script."""
        response.set_cookie(
            self.named(name),
            value,
            max_age=max_age_s,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def _keep(self, response: Response, session: Session) -> None:
        started_at, ends_at = session.started_at.isoformat(), session.ends_at.isoformat()
        plain = {**asdict(session), "started_at": started_at, "ends_at": ends_at}
        self.set(response, NAME, self._seal.close(plain), KEPT_S)
