"""What all pages of a service share: the files beside them, sessions, and the headers that fence them in."""

from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from shared.clock import Clock
from shared.settings import Settings
from shared.web.sessions import Seal, Sessions
from shared.web.static_files import StaticFiles

SIGN_IN = "/partners/sign-in"
SIGN_OUT = "/partners/sign-out"
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})

# Scripts and styles come from files of our own origin and from nowhere else; nothing is evaluated.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True, kw_only=True)
class Site:
    service: str
    sessions: Sessions
    seal: Seal
    static: StaticFiles
    # As browsers see it; what is sent to us from another origin is refused.
    origin: str
    demo: bool
    headers: dict[str, str] = field(
        default_factory=lambda: {
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "X-Frame-Options": "DENY",
        }
    )


def site_of(service: str, settings: Settings, clock: Clock, static: StaticFiles) -> Site:
    origin = origin_of(settings)
    key = settings.internal_key.get_secret_value()
    return Site(
        service=service,
        sessions=Sessions(key, clock, secure=_is_trusted_by_browsers(origin)),
        seal=Seal(key, "browser"),
        static=static,
        origin=origin,
        demo=settings.demo,
    )


def origin_of(settings: Settings) -> str:
    """As browsers see the house."""
    return settings.public_url or f"http://{settings.http_host}:{settings.http_port}"


def _is_trusted_by_browsers(origin: str) -> bool:
    """Over https, or from this very machine: they take the strictest cookies from both."""
    parts = urlsplit(origin)
    return parts.scheme == "https" or parts.hostname in _THIS_MACHINE


def sign_in_address(back: str) -> str:
    return f"{SIGN_IN}?{urlencode({'to': back})}"
