"""The directory: what a person or a system may do, asked anew for each request.

Who is who: the *token* or key says only who asks; the *directory* says what they may do. It lives in the
partners service; other services keep a projection of it, folded from its events (directory_projection.py).

An `Entry` is what the directory knows of one person or system. What it comes to depends on the clock, since
delegations begin and end without anything happening, and on others, since nobody can lend longer than they
hold. `Entry.actor_at` is the one place where that is worked out.

Nothing here remembers an answer: a role that is withdrawn must end within a second, everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.context import Actor
from shared.contracts.vocabulary import Grant
from shared.errors import Unavailable


class Directory(Protocol):
    """Who is known, with what they may do now. None: nobody we know, or a key that counts no longer."""

    async def by_subject(self, issuer: str, subject: str) -> Actor | None: ...

    async def by_key(self, key_id: str, sha256: str) -> Actor | None: ...


class DirectoryStale(Unavailable):
    """What is known here may have been withdrawn meanwhile, and nobody who knows can be asked. `known` will
    do for reading.
    """

    known: Actor | None = None


@dataclass(frozen=True)
class LentGrant(Grant):
    """A grant that somebody else holds and has lent: whoever uses it acts on their behalf."""

    on_behalf_of: str = ""


@dataclass(frozen=True, kw_only=True)
class Loan:
    """One delegation: `grant` may be used for `on_behalf_of` from one instant until another."""

    id: str
    on_behalf_of: str
    grant: Grant
    starts_at: datetime
    ends_at: datetime

    def counts_at(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the directory knows of one person or system."""

    id: str
    grants: tuple[Grant, ...] = ()
    loans: tuple[Loan, ...] = ()
    language: str = "en"
    zone: str = "UTC"
    sessions_from: datetime | None = None

    def lenders_at(self, now: datetime) -> frozenset[str]:
        return frozenset(loan.on_behalf_of for loan in self.loans if loan.counts_at(now))

    def actor_at(self, now: datetime, lenders: Mapping[str, "Entry"]) -> Actor:
        """`lenders` are the entries of those in `lenders_at`; one who is not there lends nothing."""
        lent = [
            LentGrant(loan.grant.role, loan.grant.scope, loan.on_behalf_of)
            for loan in self.loans
            if loan.counts_at(now) and _holds(lenders.get(loan.on_behalf_of), loan.grant)
        ]
        return Actor(
            id=self.id,
            grants=(*self.grants, *lent),
            language=self.language,
            zone=self.zone,
            sessions_from=self.sessions_from,
        )


def on_whose_behalf(actor: Actor, permission: str) -> str | None:
    """Nobody's but their own where they hold the permission themselves; else whoever lent it."""
    useful = [grant for grant in actor.grants if Actor(id=actor.id, grants=(grant,)).may(permission)]
    if any(not isinstance(grant, LentGrant) for grant in useful):
        return None
    return next((grant.on_behalf_of for grant in useful if isinstance(grant, LentGrant)), None)


def _holds(lender: Entry | None, wanted: Grant) -> bool:
    """Nothing is wider than no scope at all."""
    if lender is None:
        return False
    return any(
        held.role == wanted.role
        and (not held.scope or (wanted.scope and set(wanted.scope) <= set(held.scope)))
        for held in lender.grants
    )
