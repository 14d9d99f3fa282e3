"""What the directory says of people: who they are to the sign-in, what they may do. Never a name, never an
address.
"""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Role, ScopeKind, Visibility

_PERSON = "prs_01JD0000000000000000000002"


class Scope(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: ScopeKind
    value: str


class _OfPerson(Event):
    visibility = Visibility.SECRETARIAT
    person_id: str


class PersonAdmitted(_OfPerson):
    """Somebody the sign-in already knows by `subject` is now in the directory."""

    type: ClassVar[str] = "person.admitted.v1"
    example: ClassVar[dict[str, Any]] = {
        "person_id": _PERSON,
        "subject": "demo-officer",
        "language": "en",
        "zone": "Africa/Nairobi",
    }
    subject: str
    language: str
    zone: str


class PersonInvited(_OfPerson):
    """Asked to join for a partner. The invitation's code is kept as its SHA-256 and ends at `expires_at`."""

    type: ClassVar[str] = "person.invited.v1"
    example: ClassVar[dict[str, Any]] = {
        "person_id": _PERSON,
        "partner_id": "ptn_01JD0000000000000000000001",
        "code_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "language": "en",
        "zone": "Africa/Nairobi",
        "expires_at": "2027-01-31T21:00:00Z",
    }
    partner_id: str
    code_sha256: str
    language: str
    zone: str
    expires_at: datetime


class PersonJoined(_OfPerson):
    """An invitation was taken up by whoever signs in as `subject`."""

    type: ClassVar[str] = "person.joined.v1"
    example: ClassVar[dict[str, Any]] = {"person_id": _PERSON, "subject": "demo-partner-user"}
    subject: str


class InvitationLapsed(_OfPerson):
    """Nobody took the invitation up in time; its code is dead."""

    type: ClassVar[str] = "invitation.lapsed.v1"
    example: ClassVar[dict[str, Any]] = {
        "person_id": _PERSON,
        "partner_id": "ptn_01JD0000000000000000000001",
    }
    partner_id: str


class PersonErased(_OfPerson):
    """The person's details are gone; every service drops what it holds."""

    type: ClassVar[str] = "person.erased.v1"
    example: ClassVar[dict[str, Any]] = {"person_id": _PERSON, "reason": "At the person's request"}
    reason: str


class RoleGranted(_OfPerson):
    type: ClassVar[str] = "role.granted.v1"
    example: ClassVar[dict[str, Any]] = {
        "person_id": _PERSON,
        "role": "member_state_delegate",
        "scope": [{"kind": "state", "value": "KEN"}],
    }
    role: Role
    scope: tuple[Scope, ...] = ()


class RoleWithdrawn(_OfPerson):
    type: ClassVar[str] = "role.withdrawn.v1"
    example: ClassVar[dict[str, Any]] = RoleGranted.example
    role: Role
    scope: tuple[Scope, ...] = ()


class DelegationGiven(_OfPerson):
    """`person_id` may act in `role` for `on_behalf_of` from one instant until another."""

    type: ClassVar[str] = "delegation.given.v1"
    example: ClassVar[dict[str, Any]] = {
        "person_id": _PERSON,
        "delegation_id": "dlg_01JD0000000000000000000003",
        "on_behalf_of": "prs_01JD0000000000000000000004",
        "role": "signatory",
        "scope": [],
        "starts_at": "2027-01-01T00:00:00Z",
        "ends_at": "2027-01-31T00:00:00Z",
    }
    delegation_id: str
    on_behalf_of: str
    role: Role
    scope: tuple[Scope, ...] = ()
    starts_at: datetime
    ends_at: datetime


class DelegationEnded(_OfPerson):
    type: ClassVar[str] = "delegation.ended.v1"
    example: ClassVar[dict[str, Any]] = {
        "person_id": _PERSON,
        "delegation_id": "dlg_01JD0000000000000000000003",
        "reason": "Back from leave",
    }
    delegation_id: str
    reason: str


class PersonSignedOut(_OfPerson):
    """Signed out everywhere: a browser's session that began before `sessions_from` has ended."""

    type: ClassVar[str] = "person.signed_out.v1"
    example: ClassVar[dict[str, Any]] = {"person_id": _PERSON, "sessions_from": "2027-01-15T09:30:00Z"}
    sessions_from: datetime


EVENTS = (
    PersonAdmitted,
    PersonInvited,
    PersonJoined,
    InvitationLapsed,
    PersonErased,
    RoleGranted,
    RoleWithdrawn,
    DelegationGiven,
    DelegationEnded,
    PersonSignedOut,
)
