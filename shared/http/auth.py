"""Who asks. A token or a key says who it is; the directory says what they may do; the route says what it
takes.

Three ways to say who one is, all in the header Authorization: `Bearer <token>` for people, `ApiKey ck_…` for
systems, `Internal <key>` for the services of this house among themselves.

Denied by default: a route takes nobody whom its `may` does not let in, and says so when it is made.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from enum import Enum

from starlette.requests import Request

from shared.context import Actor, system_actor
from shared.contracts.vocabulary import PERMISSIONS
from shared.errors import Forbidden, Unauthenticated
from shared.http.api_keys import parse_api_key
from shared.http.directory import Directory, DirectoryStale, on_whose_behalf
from shared.http.limits import one_header
from shared.http.tokens import Claims, TokenVerifier

HEADER = "Authorization"
READING = frozenset({"GET", "HEAD"})


class Access(Enum):
    """Who is let in where no permission of the directory decides."""

    PUBLIC = "public"  # Anybody; who they are is not even asked.
    SIGNED_IN = "signed_in"  # Whoever has a good token, known to the directory or not.
    INTERNAL = "internal"  # The other services of the house.


PUBLIC, SIGNED_IN, INTERNAL = Access.PUBLIC, Access.SIGNED_IN, Access.INTERNAL
May = str | Access

ANYBODY = Actor(id="anybody")
_GRANTABLE = frozenset().union(*PERMISSIONS.values())


@dataclass(frozen=True)
class Caller:
    actor: Actor
    # What the token said, for routes that anybody signed in may use.
    claims: Claims | None = None
    # Who lent them what this route asks for, where they do not hold it themselves.
    on_behalf_of: str | None = None


class Authenticator:
    def __init__(self, verifier: TokenVerifier, directory: Directory, internal_key: str) -> None:
        self.directory = directory
        self._verifier = verifier
        self._internal_key = internal_key.encode()

    async def caller(self, request: Request, may: May) -> Caller:
        """Whoever asks, if `may` lets them in; Unauthenticated or Forbidden where it does not."""
        if may is PUBLIC:
            return Caller(ANYBODY)
        caller = await self._identify(request, may)
        if may is INTERNAL and caller.actor is not _HOUSE:
            raise Forbidden("not_permitted", "Only the services of this house may ask this")
        if may is SIGNED_IN and caller.claims is None:
            raise Forbidden("not_permitted", "Only a person who has signed in may ask this")
        return caller if not isinstance(may, str) else let_in(caller, may)

    async def _identify(self, request: Request, may: May) -> Caller:
        header = one_header(request.headers.getlist(HEADER), HEADER)
        if header is None:
            raise Unauthenticated("credentials_missing", f"Say who you are in the header {HEADER}")
        scheme, _, credentials = header.partition(" ")
        reading = request.method in READING
        match scheme.lower():
            case "bearer":
                return await self._by_token(credentials.strip(), may, reading=reading)
            case "apikey":
                return await self._by_key(credentials.strip(), reading=reading)
            case "internal":
                return self._by_internal_key(credentials.strip())
        raise Unauthenticated("credentials_unsupported", "Use a Bearer token or an ApiKey")

    async def _by_token(self, token: str, may: May, *, reading: bool) -> Caller:
        claims = await self._verifier.verify(token)
        try:
            actor = await self.directory.by_subject(claims.issuer, claims.subject)
        except DirectoryStale as stale:
            if not reading:
                raise
            actor = stale.known
        if actor is not None:
            return Caller(actor, claims)
        if may is SIGNED_IN:
            return Caller(stranger(claims.issuer, claims.subject), claims)
        raise Forbidden("not_admitted", "You are signed in, but nobody has admitted you here yet")

    async def _by_key(self, text: str, *, reading: bool) -> Caller:
        key = parse_api_key(text)
        try:
            actor = await self.directory.by_key(key.key_id, key.sha256)
        except DirectoryStale as stale:
            if not reading:
                raise
            actor = stale.known
        if actor is None:
            raise Unauthenticated("api_key_refused", "This key is not known, or was revoked")
        return Caller(actor)

    def _by_internal_key(self, key: str) -> Caller:
        # Without a key of our own nobody has the right one, least of all an empty one.
        if not self._internal_key or not hmac.compare_digest(key.encode(), self._internal_key):
            raise Unauthenticated("internal_key_refused", "This is not the key of this house")
        return Caller(_HOUSE)


def let_in(caller: Caller, permission: str) -> Caller:
    """Forbidden where they do not hold it, and nobody has lent it to them."""
    if not caller.actor.may(permission):
        raise Forbidden("not_permitted", "You may not do this", permission=permission)
    return replace(caller, on_behalf_of=on_whose_behalf(caller.actor, permission))


def require_known(may: May) -> None:
    """A permission that no role has would let nobody in, which is never what a route means."""
    if isinstance(may, str) and may not in _GRANTABLE:
        raise LookupError(f"no role has the permission {may}: add it to shared/contracts/vocabulary.py")


def stranger(issuer: str, subject: str) -> Actor:
    """An id that is always the same for the same person and does not say who they are."""
    digest = hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()
    return Actor(id=f"stranger:{digest[:32]}")


_HOUSE = system_actor("house")
