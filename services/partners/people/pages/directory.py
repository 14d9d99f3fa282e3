"""The directory on screens: who is in it, one of them, and somebody new; and names for other pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from services.partners.people import handlers
from services.partners.people.commands import AdmitPerson, Details, Language, PersonName, Subject, Zone
from services.partners.people.documents import persons
from services.partners.people.domain.delegation import Delegation
from services.partners.people.domain.person import HeldRole, Person, PersonStatus
from services.partners.people.pages import new_pages, telling
from services.partners.people.pages.fields import EmailField, language_options, zone_options
from services.partners.people.pages.me import PartnerNames
from services.partners.people.pages.naming import key_of
from services.partners.people.queries import (
    details_of,
    ids_of_name,
    names_known_to,
    names_of,
    people_lent_by,
)
from shared.contracts.partners.person import PersonInvited, Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.http.paging import Cursor, PageAsked, page_of
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.history import Happened, history
from shared.web.words import word

EVENTS_IN_SIGHT = 20
NAME_PART_LENGTH_MAX = 100


class Wanted(FormModel):
    status: PersonStatus | None = None
    role: Role | None = None
    cursor: str | None = None


class FromVersion(FormModel):
    """`cursor`: the version before which to read on."""

    cursor: Annotated[int, Field(ge=1, lt=2**53)] | None = None


class PersonForm(FormModel):
    subject: Subject
    name: PersonName
    email: EmailField
    language: Language
    zone: Zone


@dataclass(frozen=True, kw_only=True)
class Held:
    """A role somebody holds, in words; `key` names it in an address."""

    key: str
    role: Role
    where: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    person: Person
    name: str | None
    held: list[Held]


@dataclass(frozen=True, kw_only=True)
class Lent:
    """A role that `owner` lends to `borrower`, and whether it counts now."""

    id: str
    borrower: str
    owner: str
    role: Role
    where: str
    starts_at: datetime
    ends_at: datetime
    now: tuple[str, str]


class DirectoryPages:
    """`partner_names`: the register knows what partners are called; this room comes before it."""

    def __init__(self, partner_names: PartnerNames) -> None:
        self.pages = new_pages()
        self._partner_names = partner_names
        self.pages.get("/partners/people", may="person:read")(self.people)
        self.pages.get("/partners/people/admit", may="person:admit")(self.admit_page)
        self.pages.post("/partners/people/admit", may="person:admit", again=self.admit_page)(self.admit)
        self.pages.get("/partners/people/{id}", may="person:read")(self.person)
        self.pages.get("/partners/people/{id}/timeline", may="person:read")(self.timeline)
        self.pages.get("/partners/fragments/name/{id}", may="self:read")(self.name)

    async def people(self, ask: Ask) -> Response:
        wanted, part = ask.query(Wanted), ask.request.query_params.get("name", "").strip()
        mongo = ask.work.mongo
        found = await page_of(
            mongo[persons.collection],
            await _condition(ask, wanted, part[:NAME_PART_LENGTH_MAX]),
            paging=PageAsked(cursor=Cursor.read(wanted.cursor) if wanted.cursor else None),
            make=persons.restore,
        )
        names = await names_of(mongo, [person.id for person in found.items])
        partners = await self._partners(ask, [held for person in found.items for held in person.roles])
        listed = [
            Listed(person=person, name=names.get(person.id), held=_held(ask, person.roles, partners))
            for person in found.items
        ]
        return ask.page(
            "people/list.html",
            listed=listed,
            next=found.next,
            wanted=wanted,
            name=part,
            role_options=[(role, word(role)) for role in Role],
            status_options=[(status, word(status)) for status in PersonStatus],
        )

    async def person(self, ask: Ask) -> Response:
        person, mongo = await persons.load(ask.work, ask.path("id")), ask.work.mongo
        known = await history(mongo, person.id, ask.actor, limit=EVENTS_IN_SIGHT)
        borrowers = await people_lent_by(mongo, person.id)
        lent = [(person, one) for one in person.delegations]
        lent += [(who, one) for who in borrowers for one in who.delegations if one.on_behalf_of == person.id]
        ids = {one.on_behalf_of for _who, one in lent} | {who.id for who, _one in lent}
        actors = telling.actors_of(one.envelope for one in known.entries)
        names = await names_known_to(mongo, ask.actor, ids | actors)
        partners = await self._partners(ask, [*person.roles, *(one for _who, one in lent)], known.entries)
        return ask.page(
            "people/person.html",
            person=person,
            details=await details_of(mongo, person.id),
            held=_held(ask, person.roles, partners),
            lent=[_lent(ask, who, one, names, partners) for who, one in lent],
            is_self=person.id == ask.actor.id,
            names=names,
            known=known,
            told=[_told(ask, one, names, partners) for one in known.entries],
        )

    async def timeline(self, ask: Ask) -> Response:
        person, mongo = await persons.load(ask.work, ask.path("id")), ask.work.mongo
        known = await history(mongo, person.id, ask.actor, before=ask.query(FromVersion).cursor)
        actors = telling.actors_of(one.envelope for one in known.entries)
        names = await names_known_to(mongo, ask.actor, {person.id} | actors)
        partners = await self._partners(ask, [], known.entries)
        told = [(_told(ask, one, names, partners), one) for one in known.entries]
        name = names.get(person.id)
        return ask.page("people/timeline.html", person=person, name=name, known=known, told=told)

    async def admit_page(self, ask: Ask) -> Response:
        return ask.page("people/admit.html", tongues=language_options(ask.formats), zones=zone_options())

    async def admit(self, ask: Ask) -> Response:
        form = ask.form(PersonForm)
        details = Details(name=form.name, email=form.email, language=form.language)
        command = AdmitPerson(subject=form.subject, details=details, zone=form.zone)
        person = await handlers.admit_person(command, ask.work)
        return ask.see_other(f"/partners/people/{person.id}", done="admitted")

    async def name(self, ask: Ask) -> Response:
        """For pages of other services: the name where the reader may know it, else the id."""
        names = await names_known_to(ask.work.mongo, ask.actor, [ask.path("id")])
        return ask.fragment("people/fragment_name.html", name=names.get(ask.path("id")))

    async def _partners(
        self, ask: Ask, held: list[Any], entries: tuple[Happened, ...] = ()
    ) -> dict[str, str]:
        scopes = [one.scope for one in held]
        scopes += [getattr(one.event, "scope", ()) for one in entries]
        ids = {part.value for scope in scopes for part in scope if part.kind is ScopeKind.PARTNER}
        ids |= {one.event.partner_id for one in entries if isinstance(one.event, PersonInvited)}
        return dict(await self._partner_names(ask.work.mongo, ids)) if ids else {}


async def _condition(ask: Ask, wanted: Wanted, part: str) -> dict[str, Any]:
    chosen = {"status": wanted.status, "roles": wanted.role}
    condition: dict[str, Any] = {field: value for field, value in chosen.items() if value is not None}
    if part:
        condition["_id"] = {"$in": await ids_of_name(ask.work.mongo, part)}
    return {"$and": [condition]} if condition else {}


def _held(ask: Ask, roles: tuple[HeldRole, ...], partners: dict[str, str]) -> list[Held]:
    return [Held(key=key_of(held), role=held.role, where=_where(ask, held.scope, partners)) for held in roles]


def _where(ask: Ask, scope: tuple[Scope, ...], partners: dict[str, str]) -> str:
    return telling.where(scope, ask.formats, partners)


def _lent(
    ask: Ask, borrower: Person, lent: Delegation, names: dict[str, str], partners: dict[str, str]
) -> Lent:
    return Lent(
        id=lent.id,
        borrower=borrower.id,
        owner=lent.on_behalf_of,
        role=lent.role,
        where=_where(ask, lent.scope, partners),
        starts_at=lent.starts_at,
        ends_at=lent.ends_at,
        now=telling.of_delegation(lent.starts_at, lent.ends_at, ask.work.context.now),
    )


@dataclass(frozen=True, kw_only=True)
class Told:
    """A line of the timeline."""

    at: datetime
    what: str
    more: str
    by: str
    evidence: str


def _told(ask: Ask, one: Happened, names: dict[str, str], partners: dict[str, str]) -> Told:
    return Told(
        at=one.at,
        what=telling.what(one.event),
        more=telling.more(one.event, ask.formats, partners),
        by=telling.by(one.envelope, names),
        evidence=f"/partners/people/{one.envelope.subject}/timeline#number-{one.version}",
    )
