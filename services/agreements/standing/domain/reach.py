"""Whose partners a permission speaks of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from shared.contracts.vocabulary import Grant, Role, ScopeKind, may


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The organisation's people reach every partner, or those they are limited to by name or country. A
    partner's own users reach their partner; a grant that names none makes nobody anybody's.
    """

    everything: bool
    partners: frozenset[str]
    countries: frozenset[str]
    own: frozenset[str]

    @classmethod
    def of(cls, grants: Iterable[Grant], permission: str) -> Self:
        useful = [grant for grant in grants if may((grant,), permission)]
        ours = [grant for grant in useful if grant.role != Role.PARTNER_USER]
        theirs = [grant for grant in useful if grant.role == Role.PARTNER_USER]
        return cls(
            everything=any(not grant.scope for grant in ours),
            partners=_named(ours, ScopeKind.PARTNER),
            countries=_named(ours, ScopeKind.COUNTRY),
            own=_named(theirs, ScopeKind.PARTNER),
        )

    def covers(self, partner_id: str, country: str) -> bool:
        """As one of the organisation's people."""
        return self.everything or partner_id in self.partners or country in self.countries

    def reaches(self, partner_id: str, country: str) -> bool:
        """On either side."""
        return self.covers(partner_id, country) or self.is_own(partner_id)

    def is_own(self, partner_id: str) -> bool:
        """As one of the partner's people."""
        return partner_id in self.own


def _named(grants: Iterable[Grant], kind: ScopeKind) -> frozenset[str]:
    return frozenset(value for grant in grants for key, value in grant.scope if key == kind)
