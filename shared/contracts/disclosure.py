"""Who may know of an event, decided in one place for every channel and every screen.

Two things travel with each event. Its visibility is a ceiling: which kind of reader it is for at all. Its
audience says which of them: the partner, the State, the person it names. Neither opens what the other closes:
a draft that only the secretariat may see names its partner in the audience and still does not reach it.

A person named by id in the audience is told whatever the class, because naming somebody is the decision to
tell them. For sealed events that is the only way.
"""

from collections.abc import Collection
from dataclasses import dataclass

from shared.contracts.vocabulary import Grant, Role, ScopeKind, Visibility

# Who serves the organisation. The others speak for a partner, a State or themselves.
OUTSIDERS = frozenset(
    {Role.PARTNER_USER, Role.MEMBER_STATE_DELEGATE, Role.COMMITTEE_MEMBER, Role.EXTERNAL_SYSTEM}
)
STAFF = frozenset(Role) - OUTSIDERS


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A person or a system, and what the directory grants them."""

    id: str
    grants: tuple[Grant, ...] = ()


def may_know(visibility: Visibility, audience: Collection[str], reader: Reader) -> bool:
    if visibility is Visibility.PUBLIC or f"person:{reader.id}" in audience:
        return True
    if visibility is Visibility.SEALED:
        return False
    return any(_opens(grant, visibility, audience) for grant in reader.grants)


def _opens(grant: Grant, visibility: Visibility, audience: Collection[str]) -> bool:
    if grant.role in STAFF:
        return not grant.scope or _touches(grant, audience, *ScopeKind)
    match visibility:
        case Visibility.PARTNER:
            return _opens_of_partner(grant, audience)
        case Visibility.MEMBER_STATES:
            return _opens_of_states(grant, audience)
    return False


def _opens_of_partner(grant: Grant, audience: Collection[str]) -> bool:
    # A system without a scope was registered for all partners; a person never speaks for all of them. What
    # names no partner (a hold on a draft) is for none of them.
    if grant.role == Role.EXTERNAL_SYSTEM and not grant.scope:
        return any(who.startswith(f"{ScopeKind.PARTNER}:") for who in audience)
    speaks_for_partners = grant.role in (Role.EXTERNAL_SYSTEM, Role.PARTNER_USER)
    return speaks_for_partners and _touches(grant, audience, ScopeKind.PARTNER)


def _opens_of_states(grant: Grant, audience: Collection[str]) -> bool:
    if grant.role != Role.MEMBER_STATE_DELEGATE:
        return False
    to_all_states = not any(who.startswith(f"{ScopeKind.STATE}:") for who in audience)
    return to_all_states or _touches(grant, audience, ScopeKind.STATE)


def _touches(grant: Grant, audience: Collection[str], *kinds: ScopeKind) -> bool:
    return any(kind in kinds and f"{kind}:{value}" in audience for kind, value in grant.scope)
