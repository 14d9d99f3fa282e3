"""Which scopes a role can have. A grant without one holds everywhere, so some roles must not go without."""

import re
from collections.abc import Iterable

from shared.contracts import countries
from shared.contracts.countries import Standing
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.errors import Invalid

SCOPES_MAX = 250  # Every State at once, and a little.

# These speak for one partner, or one State: exactly one scope of that kind, and no other.
SPEAKS_FOR_ONE = {Role.PARTNER_USER: ScopeKind.PARTNER, Role.MEMBER_STATE_DELEGATE: ScopeKind.STATE}
# Half an administrator could lock the other half out.
NEVER_SCOPED = frozenset({Role.ADMINISTRATOR})

_PARTNER_ID = re.compile(r"ptn_[0-7][0-9A-HJKMNP-TV-Z]{25}")
_UNIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")


def scope_for(role: Role, asked: Iterable[Scope]) -> tuple[Scope, ...]:
    """The scope in its one spelling (sorted, nothing twice), if the role can be had within it."""
    scope = checked(asked)
    if role in NEVER_SCOPED and scope:
        raise Invalid("scope_does_not_fit", "This role holds everywhere or not at all", role=role)
    kind = SPEAKS_FOR_ONE.get(role)
    if kind is not None and [part.kind for part in scope] != [kind]:
        raise Invalid("scope_does_not_fit", "This role needs one scope of its kind", role=role, needs=kind)
    return scope


def checked(asked: Iterable[Scope]) -> tuple[Scope, ...]:
    scope = tuple(sorted(set(asked), key=lambda part: (part.kind, part.value)))
    if len(scope) > SCOPES_MAX:
        raise Invalid(
            "too_many_scopes", "That is more than a grant can be narrowed to", scopes_max=SCOPES_MAX
        )
    for part in scope:
        if not _is_known(part):
            raise Invalid(
                "scope_unknown",
                "There is no such partner, State, country or unit",
                field=part.kind.value,
                kind=part.kind,
                value=part.value,
            )
    return scope


def covers(held: tuple[Scope, ...], wanted: tuple[Scope, ...]) -> bool:
    """Whether everything within `wanted` is within `held`. Nothing is wider than no scope at all."""
    return not held or (bool(wanted) and set(wanted) <= set(held))


def _is_known(part: Scope) -> bool:
    match part.kind:
        case ScopeKind.PARTNER:
            return _PARTNER_ID.fullmatch(part.value) is not None
        case ScopeKind.COUNTRY:
            return part.value in countries.COUNTRIES
        case ScopeKind.STATE:
            country = countries.COUNTRIES.get(part.value)
            return country is not None and country.standing is not Standing.AREA
        case ScopeKind.UNIT:
            return _UNIT.fullmatch(part.value) is not None
