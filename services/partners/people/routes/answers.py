"""What is told of people. Only the two that a GET gives have names and addresses in them."""

from datetime import datetime
from typing import Any

from services.partners.people.documents import persons
from services.partners.people.domain.person import Person, PersonStatus
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role
from shared.http.app import Answer
from shared.storage.repository import Unit


class RoleOut(Answer):
    role: Role
    scope: list[Scope]


class DelegationOut(Answer):
    id: str
    on_behalf_of: str
    role: Role
    scope: list[Scope]
    starts_at: datetime
    ends_at: datetime


class PersonOut(Answer):
    id: str
    version: int
    status: PersonStatus
    subject: str | None
    language: str
    zone: str
    invited_until: datetime | None
    roles: list[RoleOut]
    delegations: list[DelegationOut]


class PersonWithDetails(PersonOut):
    """Name and address are null where they were erased."""

    name: str | None
    email: str | None


class PersonListed(PersonOut):
    name: str | None


class JoinedOut(Answer):
    """Who you are here, and for which partners you speak."""

    id: str
    partner_ids: list[str]


def person_out(person: Person, unit: Unit) -> PersonOut:
    version = unit.version_of(person.id)
    assert version is not None, "the unit has loaded or made the person it speaks of"
    return _person_out(person, version)


def listed(document: dict[str, Any]) -> PersonListed:
    person = _person_out(persons.restore(document), document["version"])
    return PersonListed(**dict(person), name=None)


def _person_out(person: Person, version: int) -> PersonOut:
    waits = person.status is PersonStatus.INVITED and person.invitation is not None
    return PersonOut(
        id=person.id,
        version=version,
        status=person.status,
        subject=person.subject,
        language=person.language,
        zone=person.zone,
        invited_until=person.invitation.expires_at if waits and person.invitation else None,
        roles=[RoleOut(role=held.role, scope=list(held.scope)) for held in person.roles],
        delegations=[
            DelegationOut(
                id=lent.id,
                on_behalf_of=lent.on_behalf_of,
                role=lent.role,
                scope=list(lent.scope),
                starts_at=lent.starts_at,
                ends_at=lent.ends_at,
            )
            for lent in person.delegations
        ],
    )
