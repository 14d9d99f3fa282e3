"""What is read of the directory. `OwnDirectory` is the directory itself: what the others keep a copy of."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime

from services.partners.people.commands import Details
from services.partners.people.documents import IN_DIRECTORY, PEOPLE, persons, systems
from services.partners.people.domain.person import Person
from services.partners.people.domain.system import System
from shared.context import Actor
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Grant, Role, ScopeKind
from shared.http.api_keys import same_secret
from shared.http.directory import Entry, Loan
from shared.ids import is_id
from shared.storage.mongo import Mongo

OF_PARTNER_MAX = 200
OF_NAME_MAX = 500


class OwnDirectory:
    """Read anew for each request: what was withdrawn counts for no request after it."""

    def __init__(self, mongo: Mongo, now: Callable[[], datetime]) -> None:
        self._mongo = mongo
        self._now = now

    async def by_subject(self, issuer: str, subject: str) -> Actor | None:
        """The issuer has been checked: there is one whose tokens we take."""
        document = await self._mongo[persons.collection].find_one({"subject": subject})
        if document is None:
            return None
        entry, now = entry_of(persons.restore(document)), self._now()
        return entry.actor_at(now, await self._entries(entry.lenders_at(now)))

    async def by_key(self, key_id: str, sha256: str) -> Actor | None:
        document = await self._mongo[systems.collection].find_one({"live_keys": key_id})
        if document is None:
            return None
        system = systems.restore(document)
        kept = next(key.sha256 for key in system.live_keys if key.id == key_id)
        return Actor(id=system.id, grants=system_grants(system)) if same_secret(kept, sha256) else None

    async def _entries(self, ids: Iterable[str]) -> dict[str, Entry]:
        wanted = sorted(ids)
        if not wanted:
            return {}
        found = self._mongo[persons.collection].find({"_id": {"$in": wanted}})
        return {document["_id"]: entry_of(persons.restore(document)) async for document in found}


def entry_of(person: Person) -> Entry:
    return Entry(
        id=person.id,
        grants=tuple(_grant(held.role, held.scope) for held in person.roles),
        loans=tuple(
            Loan(
                id=lent.id,
                on_behalf_of=lent.on_behalf_of,
                grant=_grant(lent.role, lent.scope),
                starts_at=lent.starts_at,
                ends_at=lent.ends_at,
            )
            for lent in person.delegations
        ),
        language=person.language,
        zone=person.zone,
        sessions_from=person.sessions_from,
    )


def system_grants(system: System) -> tuple[Grant, ...]:
    return (_grant(Role.EXTERNAL_SYSTEM, system.scope),)


async def details_of(mongo: Mongo, person_id: str) -> Details | None:
    """Name and address, if they are kept: of somebody erased there is nothing, as if they had never been."""
    kept = await mongo[PEOPLE.name].find_one({"_id": person_id}, {"_id": 0, IN_DIRECTORY: 0})
    return None if kept is None else Details.model_validate(kept)


async def names_of(mongo: Mongo, person_ids: Iterable[str]) -> dict[str, str]:
    found = mongo[PEOPLE.name].find({"_id": {"$in": sorted(person_ids)}}, {"name": 1})
    return {kept["_id"]: kept["name"] async for kept in found}


async def names_known_to(mongo: Mongo, reader: Actor, ids: Iterable[str]) -> dict[str, str]:
    """Of those whose names the reader may know: everybody's for who may read the directory; else their own,
    and of those who speak for a partner that the reader speaks for.
    """
    wanted = {id for id in ids if is_id(id, persons.prefix)}
    if not reader.may("person:read"):
        own = sorted(partners_of(reader))
        together = mongo[persons.collection].find(
            {"_id": {"$in": sorted(wanted)}, "partners": {"$in": own}}, {"_id": 1}
        )
        wanted = {document["_id"] async for document in together} | (wanted & {reader.id})
    return await names_of(mongo, wanted)


def partners_of(reader: Actor) -> frozenset[str]:
    """The partners that somebody speaks for."""
    speaks = [grant for grant in reader.grants if grant.role == Role.PARTNER_USER]
    return frozenset(value for grant in speaks for kind, value in grant.scope if kind == ScopeKind.PARTNER)


async def people_of_partner(mongo: Mongo, partner_id: str) -> list[Person]:
    """Who speaks for the partner, or was asked to."""
    found = mongo[persons.collection].find({"partners": partner_id}).sort("_id", 1).limit(OF_PARTNER_MAX)
    return [persons.restore(document) async for document in found]


async def people_lent_by(mongo: Mongo, owner_id: str) -> list[Person]:
    """Whoever was lent a role by them."""
    found = mongo[persons.collection].find({"lent_by": owner_id}).sort("_id", 1).limit(OF_PARTNER_MAX)
    return [persons.restore(document) async for document in found]


async def ids_of_name(mongo: Mongo, part: str) -> list[str]:
    """People whose name has that in it, whatever its case: of the first some, for a list that is narrowed."""
    pattern = {"$regex": re.escape(part), "$options": "i"}
    found = mongo[PEOPLE.name].find({"name": pattern, IN_DIRECTORY: True}, {"_id": 1}).limit(OF_NAME_MAX)
    return [document["_id"] async for document in found]


def _grant(role: Role, scope: tuple[Scope, ...]) -> Grant:
    return Grant(role=role.value, scope=tuple((part.kind.value, part.value) for part in scope))
