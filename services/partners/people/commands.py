"""What may be asked of the directory."""

from datetime import datetime
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, SecretStr, StringConstraints

from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role

NAME_LENGTH_MAX = 200
EMAIL_LENGTH_MAX = 254
SUBJECT_LENGTH_MAX = 255
REASON_LENGTH_MAX = 500
LABEL_LENGTH_MAX = 120
CODE_LENGTH_MAX = 100

# One @, something on both sides, and none of the characters with which one address becomes two in a header.
_EMAIL = r"^[^\s@<>,;:\"\\()\[\]]+@[^\s@<>,;:\"\\()\[\]]+$"


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(zone: str) -> str:
    if zone not in _zones():
        raise ValueError("not a time zone of the IANA database")
    return zone


Language = Literal["ar", "en", "es", "fr", "ru", "zh"]
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
PersonName = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX)]
Email = Annotated[str, StringConstraints(max_length=EMAIL_LENGTH_MAX, pattern=_EMAIL)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=SUBJECT_LENGTH_MAX)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=LABEL_LENGTH_MAX)]
# It goes into a stream for good: it must not name the person it speaks of.
Reason = Annotated[str, StringConstraints(min_length=1, max_length=REASON_LENGTH_MAX)]


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Details(_Command):
    """What is erased when the person is."""

    name: PersonName
    email: Email
    language: Language


class AdmitPerson(_Command):
    """Somebody the sign-in knows as `subject` comes into the directory, with no role yet."""

    subject: Subject
    details: Details
    zone: Zone


class InvitePartnerUser(_Command):
    """Somebody new is asked to speak for a partner."""

    partner_id: str
    partner_name: str
    details: Details
    zone: Zone


class InviteKnownPerson(_Command):
    """The same of somebody whose details are kept already: a contact person, or who was invited before."""

    partner_id: str
    partner_name: str
    person_id: str
    zone: Zone


class JoinByInvitation(_Command):
    code: SecretStr
    subject: Subject


class GrantRole(_Command):
    person_id: str
    role: Role
    scope: tuple[Scope, ...]


class WithdrawRole(_Command):
    person_id: str
    role: Role
    scope: tuple[Scope, ...]


class GiveDelegation(_Command):
    """`person_id` may act in `role` for `on_behalf_of`, from `starts_at` until just before `ends_at`."""

    person_id: str
    on_behalf_of: str
    role: Role
    scope: tuple[Scope, ...]
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class EndDelegation(_Command):
    person_id: str
    delegation_id: str
    reason: Reason


class SignOutEverywhere(_Command):
    """Whoever it is ends every session of theirs that began before now."""

    person_id: str


class ErasePerson(_Command):
    person_id: str
    reason: Reason


class RegisterSystem(_Command):
    label: Label
    owner_id: str
    scope: tuple[Scope, ...]


class IssueKey(_Command):
    """The key itself stays with who made it; what is kept is its SHA-256."""

    system_id: str
    key_id: str
    sha256: str


class RevokeKey(_Command):
    system_id: str
    key_id: str
    reason: Reason


class NewInvitation(_Command):
    """What an invitation comes to. The code is here and nowhere else; what is kept is its SHA-256."""

    person_id: str
    partner_id: str
    code: SecretStr
    expires_at: datetime
