"""A role lent: somebody acts for its holder from one instant until another."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.partners.person import DelegationGiven, Scope
from shared.contracts.vocabulary import Role
from shared.errors import Invalid

DELEGATION_LIFE_MAX = timedelta(days=366)
# Lent, it could grant itself to the borrower for good.
NEVER_LENT = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True, kw_only=True)
class Delegation:
    id: str
    on_behalf_of: str
    role: Role
    scope: tuple[Scope, ...]
    starts_at: datetime
    ends_at: datetime


def delegation_of(event: DelegationGiven) -> Delegation:
    return Delegation(
        id=event.delegation_id,
        on_behalf_of=event.on_behalf_of,
        role=event.role,
        scope=event.scope,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
    )


def check_dates(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= starts_at:
        raise Invalid("delegation_ends_before_it_starts", "A delegation ends after it starts")
    if ends_at <= now:
        raise Invalid("delegation_over", "A delegation that is over already lends nothing")
    if ends_at - starts_at > DELEGATION_LIFE_MAX:
        days = DELEGATION_LIFE_MAX.days
        raise Invalid("delegation_too_long", "A delegation lasts a year at most", days_max=days)
