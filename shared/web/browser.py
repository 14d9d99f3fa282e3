"""Lets a browser in as the API lets a token in: the session says who, the directory says what they may do."""

from starlette.requests import Request

from shared.context import Actor
from shared.errors import Forbidden, Unauthenticated
from shared.http.auth import ANYBODY, PUBLIC, READING, Caller, May, let_in, stranger
from shared.http.directory import Directory, DirectoryStale
from shared.web.sessions import Session, Sessions


class NotSignedIn(Unauthenticated):
    """Nobody, or nobody any more: `session` is the one that has ended."""

    session: Session | None = None


class Browser:
    """Of one request; asked anew for each try of it."""

    def __init__(self, sessions: Sessions, directory: Directory) -> None:
        self._sessions = sessions
        self.directory = directory
        self.session: Session | None = None
        self.actor: Actor | None = None

    async def caller(self, request: Request, may: May) -> Caller:
        try:
            caller = await self._identify(request, may)
        except NotSignedIn:
            if may is PUBLIC:
                return Caller(ANYBODY)
            raise
        self.actor = caller.actor
        if isinstance(may, str):
            return let_in(caller, may)
        return caller

    async def _identify(self, request: Request, may: May) -> Caller:
        session = self._sessions.of(request)
        if session is None or not self._sessions.is_live(session):
            raise _nobody(session)
        try:
            actor = await self.directory.by_subject(session.issuer, session.subject)
        except DirectoryStale as stale:
            if request.method not in READING:
                raise
            actor = stale.known
        if actor is not None and actor.sessions_from is not None and session.started_at < actor.sessions_from:
            raise _nobody(session)
        self.session = session
        if actor is not None and not actor.grants and isinstance(may, str):
            raise Forbidden(
                "no_role",
                "You are signed in, but hold no role, or none any more; an administrator gives roles",
            )
        if actor is not None:
            return Caller(actor)
        if isinstance(may, str):
            raise Forbidden("not_admitted", "You are signed in, but nobody has admitted you here yet")
        return Caller(stranger(session.issuer, session.subject))


def _nobody(session: Session | None) -> NotSignedIn:
    nobody = NotSignedIn("not_signed_in", "Sign in first")
    nobody.session = session
    return nobody
