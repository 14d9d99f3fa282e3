"""People: admitted, given roles and delegations, erased; and the acceptance of an invitation.

What a POST answers is kept for a day, to be given again; so names and addresses are in no such answer: they
would outlive an erasure.
"""

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, Field, SecretStr

from services.partners.people import handlers, queries
from services.partners.people.commands import (
    CODE_LENGTH_MAX,
    AdmitPerson,
    Details,
    Email,
    EndDelegation,
    ErasePerson,
    GiveDelegation,
    GrantRole,
    JoinByInvitation,
    Language,
    PersonName,
    Reason,
    Subject,
    WithdrawRole,
    Zone,
)
from services.partners.people.documents import persons
from services.partners.people.domain.person import PersonStatus
from services.partners.people.domain.scopes import SCOPES_MAX
from services.partners.people.routes.answers import (
    JoinedOut,
    PersonListed,
    PersonOut,
    PersonWithDetails,
    listed,
    person_out,
)
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.http.app import SIGNED_IN, Body, Routes, SignedIn, Work
from shared.http.paging import Page, Paging, page_of

routes = Routes("partners", room="people")


class PersonIn(Body):
    subject: Subject
    name: PersonName
    email: Email
    language: Language
    zone: Zone


class ScopeIn(Body):
    kind: ScopeKind
    value: str = Field(max_length=64)


class RoleIn(Body):
    """`scope` narrows the role; none of it means everywhere."""

    role: Role
    scope: list[ScopeIn] = Field(max_length=SCOPES_MAX)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return tuple(Scope(kind=part.kind, value=part.value) for part in self.scope)


class DelegationIn(RoleIn):
    """The role is `on_behalf_of`'s, lent from `starts_at` until just before `ends_at`."""

    on_behalf_of: str = Field(max_length=64)
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class PersonReasonIn(Body):
    """It is kept for good, so it must not name the person."""

    reason: Reason


@routes.post("/people", status=201, may="person:admit")
async def admit_person(body: PersonIn, work: Work) -> PersonOut:
    """Somebody who can sign in comes into the directory. They may do nothing until a role is granted."""
    details = Details(name=body.name, email=body.email, language=body.language)
    command = AdmitPerson(subject=body.subject, details=details, zone=body.zone)
    return person_out(await handlers.admit_person(command, work), work)


@routes.get("/people", may="person:read")
async def list_people(paging: Paging, work: Work, status: PersonStatus | None = None) -> Page[PersonListed]:
    query = {} if status is None else {"status": status}
    page = await page_of(work.mongo[persons.collection], query, paging=paging, make=listed)
    names = await queries.names_of(work.mongo, [person.id for person in page.items])
    named = [person.model_copy(update={"name": names.get(person.id)}) for person in page.items]
    return Page(items=named, next=page.next)


@routes.get("/people/{id}", may="person:read")
async def read_person(id: str, work: Work) -> PersonWithDetails:
    """Somebody erased is still answered for, without a name: events speak of their id."""
    person = person_out(await persons.load(work, id), work)
    kept = await queries.details_of(work.mongo, id)
    return PersonWithDetails(**person.model_dump(), name=kept and kept.name, email=kept and kept.email)


@routes.post("/people/{id}/roles", status=201, may="role:grant")
async def grant_role(id: str, body: RoleIn, work: Work) -> PersonOut:
    command = GrantRole(person_id=id, role=body.role, scope=body.scopes)
    return person_out(await handlers.grant_role(command, work), work)


@routes.post("/people/{id}/role-withdrawals", status=201, may="role:withdraw")
async def withdraw_role(id: str, body: RoleIn, work: Work) -> PersonOut:
    """The grant is named by its role and its whole scope."""
    command = WithdrawRole(person_id=id, role=body.role, scope=body.scopes)
    return person_out(await handlers.withdraw_role(command, work), work)


@routes.post("/people/{id}/delegations", status=201, may="role:grant")
async def give_delegation(id: str, body: DelegationIn, work: Work) -> PersonOut:
    command = GiveDelegation(
        person_id=id,
        on_behalf_of=body.on_behalf_of,
        role=body.role,
        scope=body.scopes,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
    )
    return person_out(await handlers.give_delegation(command, work), work)


@routes.post("/people/{id}/delegations/{delegation_id}/ends", status=201, may="role:withdraw")
async def end_delegation(id: str, delegation_id: str, body: PersonReasonIn, work: Work) -> PersonOut:
    command = EndDelegation(person_id=id, delegation_id=delegation_id, reason=body.reason)
    return person_out(await handlers.end_delegation(command, work), work)


@routes.post("/people/{id}/erasures", status=201, may="person:erase")
async def erase_person(id: str, body: PersonReasonIn, work: Work) -> PersonOut:
    """Name and address are deleted, roles and subject are gone; what they did stays, under their id."""
    command = ErasePerson(person_id=id, reason=body.reason)
    return person_out(await handlers.erase_person(command, work), work)


@routes.post("/invitations/{code}/acceptances", status=201, may=SIGNED_IN)
async def accept_invitation(
    code: Annotated[str, Path(max_length=CODE_LENGTH_MAX)], work: Work, claims: SignedIn
) -> JoinedOut:
    """Whoever is signed in and has the code is who was invited."""
    command = JoinByInvitation(code=SecretStr(code), subject=claims.subject)
    person = await handlers.join_by_invitation(command, work)
    return JoinedOut(id=person.id, partner_ids=person.partner_ids)
