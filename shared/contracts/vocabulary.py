"""The words of the house: who there is, what may be asked of us, and who may ask it.

Permissions are `noun:verb`, deny by default, and this table is the only place that grants them. A grant is a
role, narrowed by scopes: (`partner`, `ptn_…`) means "only where that partner is concerned". A grant without a
scope holds everywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# The internal topics, one a service; each carries whole streams, in order per aggregate.
TOPICS = ("concord.partners.v1", "concord.agreements.v1", "concord.notifications.v1")


class Visibility(StrEnum):
    """How far an event may travel. Whoever is in its audience is a second question."""

    PUBLIC = "public"
    PARTNER = "partner"
    MEMBER_STATES = "member_states"
    SECRETARIAT = "secretariat"
    SEALED = "sealed"


class Role(StrEnum):
    PARTNERSHIP_OFFICER = "partnership_officer"
    ACCREDITATION_REVIEWER = "accreditation_reviewer"
    ACCREDITATION_CHIEF = "accreditation_chief"
    MEMBER_STATE_DELEGATE = "member_state_delegate"
    COMMITTEE_MEMBER = "committee_member"
    PARTNER_USER = "partner_user"
    LEGAL_OFFICER = "legal_officer"
    FINANCE_OFFICER = "finance_officer"
    PROGRAMME_REVIEWER = "programme_reviewer"
    DONOR_RELATIONS = "donor_relations"
    SIGNATORY = "signatory"
    EXTERNAL_SYSTEM = "external_system"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class ScopeKind(StrEnum):
    STATE = "state"
    PARTNER = "partner"
    COUNTRY = "country"
    UNIT = "unit"


class PartnerKind(StrEnum):
    """The four groups the organisation reports its partners by."""

    GOVERNMENT = "government"
    UN_ENTITY = "un_entity"
    LOCAL_GOVERNMENT = "local_government"
    CIVIL_SOCIETY = "civil_society"


@dataclass(frozen=True)
class Grant:
    role: str
    scope: tuple[tuple[str, str], ...] = ()


_EVERYONE = frozenset({"task:read", "inbox:read", "inbox:mark", "self:read"})
_READERS = frozenset({"partner:read", "agreement:read"})

PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.PARTNERSHIP_OFFICER: _EVERYONE
    | _READERS
    | {
        "partner:register",
        "partner:suspend",
        "partner:reinstate",
        "partner:erase_contact",
        "contact:read",
        "person:read",
        "person:invite",
        "agreement:draft",
        "agreement:send",
        "delivery:read",
    },
    Role.SIGNATORY: _EVERYONE | _READERS | {"agreement:sign"},
    Role.PARTNER_USER: _EVERYONE | _READERS | {"agreement:sign", "evidence:read", "delivery:read"},
    Role.ACCREDITATION_REVIEWER: _EVERYONE | _READERS,
    Role.ACCREDITATION_CHIEF: _EVERYONE | _READERS | {"partner:suspend", "partner:reinstate"},
    Role.MEMBER_STATE_DELEGATE: _EVERYONE,
    Role.COMMITTEE_MEMBER: _EVERYONE,
    Role.LEGAL_OFFICER: _EVERYONE | _READERS | {"evidence:read"},
    Role.FINANCE_OFFICER: _EVERYONE | _READERS,
    Role.PROGRAMME_REVIEWER: _EVERYONE | _READERS,
    Role.DONOR_RELATIONS: _EVERYONE | _READERS,
    Role.EXTERNAL_SYSTEM: frozenset({"feed:read", "endpoint:manage", "delivery:read", "self:read"}),
    Role.OPERATOR: _EVERYONE
    | _READERS
    | {
        "clock:advance",
        "delivery:read",
        "endpoint:manage",
        "mail:read",
        "feed:read",
    },
    Role.AUDITOR: _EVERYONE
    | _READERS
    | {
        "person:read",
        "system:read",
        "contact:read",
        "evidence:read",
        "delivery:read",
        "feed:read",
    },
    Role.ADMINISTRATOR: _EVERYONE
    | _READERS
    | {
        "person:read",
        "person:admit",
        "person:invite",
        "person:erase",
        "role:grant",
        "role:withdraw",
        "system:register",
        "system:read",
        "key:issue",
        "key:revoke",
    },
}


def may(grants: Iterable[Grant], permission: str) -> bool:
    return any(permission in PERMISSIONS.get(Role(grant.role), frozenset()) for grant in grants)
