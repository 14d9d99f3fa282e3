"""What a new house starts with: an administrator, and in demo mode its people and their partners.

Each of these may run again and changes nothing then, also when it was interrupted half-way.
"""

from collections.abc import Iterable
from typing import Protocol

from services.partners.people import handlers as people
from services.partners.people.commands import AdmitPerson, Details, GrantRole
from services.partners.people.documents import persons
from services.partners.people.domain.person import Person
from services.partners.register.commands import RegisterPartner
from services.partners.register.documents import partners
from services.partners.register.domain.partner import Partner
from services.partners.register.handlers import register_partner
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Grant, PartnerKind, Role
from shared.service import Runtime
from shared.storage.repository import Unit


class DemoPerson(Protocol):
    """Who signs in to the demonstration as `subject`, and what they may do."""

    @property
    def subject(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def timezone(self) -> str: ...
    @property
    def grants(self) -> tuple[Grant, ...]: ...


class DemoPartner(Protocol):
    """A partner under an id that the scopes of its users name already."""

    @property
    def id(self) -> str: ...
    @property
    def legal_name(self) -> str: ...
    @property
    def kind(self) -> PartnerKind: ...
    @property
    def country(self) -> str: ...
    @property
    def contact_name(self) -> str: ...
    @property
    def contact_email(self) -> str: ...
    @property
    def contact_language(self) -> str: ...


async def admit_administrator(runtime: Runtime, command: AdmitPerson) -> Person:
    """`concord people grant`: the first administrator, whom nobody in the directory could make."""

    async def work(unit: Unit) -> Person:
        return await people.make_administrator(command, unit)

    return await runtime.perform(runtime.system_context("command-line"), work)


async def seed(
    runtime: Runtime, demo_people: Iterable[DemoPerson], demo_partners: Iterable[DemoPartner] = ()
) -> None:
    for demo_partner in demo_partners:
        await _register(runtime, demo_partner)
    for demo_person in demo_people:
        await _admit(runtime, demo_person)


async def _register(runtime: Runtime, demo: DemoPartner) -> None:
    contact = _details(demo.contact_name, demo.contact_email, demo.contact_language)
    command = RegisterPartner(
        legal_name=demo.legal_name, kind=demo.kind, country=demo.country, contact=contact
    )

    async def work(unit: Unit) -> Partner:
        return await partners.find(unit, demo.id) or await register_partner(command, unit, demo.id)

    await runtime.perform(runtime.system_context("seed"), work)


async def _admit(runtime: Runtime, demo: DemoPerson) -> None:
    details = _details(demo.name, demo.email, demo.language)
    command = AdmitPerson(subject=demo.subject, details=details, zone=demo.timezone)

    async def work(unit: Unit) -> None:
        known = await persons.find_one(unit, {"subject": demo.subject})
        person = known or await people.admit_person(command, unit)
        for grant in demo.grants:
            scope = tuple(Scope.model_validate({"kind": kind, "value": value}) for kind, value in grant.scope)
            granted = GrantRole(person_id=person.id, role=Role(grant.role), scope=scope)
            await people.grant_role(granted, unit)

    await runtime.perform(runtime.system_context("seed"), work)


def _details(name: str, email: str, language: str) -> Details:
    return Details.model_validate({"name": name, "email": email, "language": language})
