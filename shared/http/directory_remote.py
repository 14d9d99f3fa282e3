"""Asking the partners service, where the directory lives: what a service does when its own projection may be
behind.

`GET {partners}/partners/v1/directory?subject=…`, or `?key_id=…&key_sha256=…`, with the key of the house. The
answer is a DirectoryOut; 404 where nobody is known. Whoever is not reached is not asked again for a second,
so that a directory that hangs does not hang every request here.
"""

import time
from datetime import datetime
from http import HTTPStatus

import httpx2
from pydantic import BaseModel, ValidationError

from shared.context import Actor
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Grant, Role
from shared.errors import Transient
from shared.http.bodies import Answer
from shared.http.directory import LentGrant

TIMEOUT_S = 2.0
ASK_AGAIN_S = 1.0
PATH = "/partners/v1/directory"
# Said by the directory itself. A 404 of anybody else (a proxy, a wrong address) says nothing of the person.
NOBODY = "not_in_directory"


class GrantOut(Answer):
    """`on_behalf_of`: who lent it, or null where it is their own."""

    role: str
    scope: list[Scope]
    on_behalf_of: str | None


class DirectoryOut(Answer):
    """What somebody may do at this moment."""

    id: str
    grants: list[GrantOut]
    language: str
    zone: str
    sessions_from: datetime | None

    @classmethod
    def of(cls, actor: Actor) -> "DirectoryOut":
        return cls(
            id=actor.id,
            grants=[_grant_out(grant) for grant in actor.grants],
            language=actor.language,
            zone=actor.zone,
            sessions_from=actor.sessions_from,
        )

    def actor(self) -> Actor:
        grants = tuple(_grant(grant) for grant in self.grants if grant.role in _ROLES)
        return Actor(
            id=self.id,
            grants=grants,
            language=self.language,
            zone=self.zone,
            sessions_from=self.sessions_from,
        )


class _Problem(BaseModel):
    code: str


class RemoteDirectory:
    """Raises Transient where the partners service cannot say."""

    def __init__(self, partners_url: str, internal_key: str) -> None:
        self._client = httpx2.AsyncClient(
            base_url=partners_url.rstrip("/"),
            headers={"Authorization": f"Internal {internal_key}"},
            timeout=TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
        )
        self._away_until = 0.0

    async def by_subject(self, issuer: str, subject: str) -> Actor | None:
        return await self._ask({"subject": subject})

    async def by_key(self, key_id: str, sha256: str) -> Actor | None:
        return await self._ask({"key_id": key_id, "key_sha256": sha256})

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, query: dict[str, str]) -> Actor | None:
        if time.monotonic() < self._away_until:
            raise Transient("the partners service was away a moment ago")
        try:
            answer = await self._client.get(PATH, params=query)
            if (
                answer.status_code == HTTPStatus.NOT_FOUND
                and _Problem.model_validate_json(answer.content).code == NOBODY
            ):
                return None
            answer.raise_for_status()
            return DirectoryOut.model_validate_json(answer.content).actor()
        except (httpx2.HTTPError, ValidationError) as error:
            self._away_until = time.monotonic() + ASK_AGAIN_S
            raise Transient(f"the partners service does not say: {type(error).__name__}") from error


def _grant_out(grant: Grant) -> GrantOut:
    scope = [Scope.model_validate({"kind": kind, "value": value}) for kind, value in grant.scope]
    lender = grant.on_behalf_of if isinstance(grant, LentGrant) else None
    return GrantOut(role=grant.role, scope=scope, on_behalf_of=lender)


def _grant(out: GrantOut) -> Grant:
    scope = tuple((part.kind.value, part.value) for part in out.scope)
    return (
        Grant(out.role, scope) if out.on_behalf_of is None else LentGrant(out.role, scope, out.on_behalf_of)
    )


# A role that a newer release knows grants nothing here.
_ROLES = frozenset(Role)
