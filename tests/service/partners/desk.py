"""The partners service in this process, on a real MongoDB: its handlers, its timers, and its HTTP without a
socket. After every commit the stored state of what was written equals what its stream gives.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr

from services.partners.main import build, directory
from services.partners.people.commands import AdmitPerson, Details, GrantRole
from services.partners.people.domain.person import Person
from services.partners.people.handlers import admit_person, grant_role
from services.partners.register.commands import RegisterPartner
from services.partners.register.domain.partner import Partner
from services.partners.register.handlers import register_partner
from services.partners.settings import PartnersSettings
from shared.clock import MovableClock
from shared.context import Actor, system_actor
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import PartnerKind, Role
from shared.http import idempotency
from shared.http.app import http_app
from shared.http.auth import Authenticator
from shared.http.health import Health
from shared.ids import new_id
from shared.service import Room, Runtime
from shared.storage import event_log, timers
from shared.storage.change import EVENTS
from shared.storage.committer import Committer
from shared.storage.documents import create_indexes
from shared.storage.event_log import Writer
from shared.storage.mongo import Mongo
from shared.storage.repository import Repository, Unit
from shared.storage.timers import OnDue, Timer, TimersLoop
from shared.telemetry import Metrics
from shared.web.room import kit_room
from tests.support.issuer import HandClock, Issuer, verifier_for

INTERNAL_KEY = "an internal key of the tests, 32 characters or more"
DETAILS = Details(name="Nia Adéọlá", email="nia@example.org", language="en")
CONTACT = {"name": "Wangũi Kamau", "email": "wangui@example.org", "language": "en"}
REASON = "At the person's request"

R = TypeVar("R")
C = TypeVar("C")


@dataclass
class Desk:
    mongo: Mongo
    runtime: Runtime
    rooms: tuple[Room, ...]
    clock: MovableClock
    issuer: Issuer
    browser: httpx2.AsyncClient
    app: FastAPI

    async def do(
        self, handler: Callable[[C, Unit], Awaitable[R]], command: C, actor: Actor | None = None
    ) -> R:
        """A command, as whoever (the house itself where nobody is named)."""

        async def work(unit: Unit) -> R:
            return await handler(command, unit)

        return await self.runtime.perform(self.runtime.context(actor or system_actor("test")), work)

    async def admit(self, subject: str, *roles: Role, scope: tuple[Scope, ...] = ()) -> Person:
        person = await self.do(admit_person, AdmitPerson(subject=subject, details=DETAILS, zone="UTC"))
        for role in roles:
            person = await self.do(grant_role, GrantRole(person_id=person.id, role=role, scope=scope))
        return person

    async def register(self, legal_name: str, country: str = "KEN", kind: str = "civil_society") -> Partner:
        contact = Details.model_validate(CONTACT)
        command = RegisterPartner(
            legal_name=legal_name, kind=PartnerKind(kind), country=country, contact=contact
        )
        return await self.do(register_partner, command)

    async def document(self, collection: str, id: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self.mongo[collection].find_one({"_id": id})
        return found

    async def types(self, stream: str) -> list[str]:
        return [event.type for event in await event_log.read_stream(self.mongo, stream)]

    def move_to(self, instant: datetime) -> None:
        self.clock.advance_to(self.clock.ahead + (instant - self.clock.now()))

    def pass_time(self, time: timedelta) -> None:
        self.clock.advance_to(self.clock.ahead + time)

    async def fire_due(self) -> int:
        """What is due now happens now, and what that makes due as well."""
        handlers: dict[str, OnDue] = {}
        for room in self.rooms:
            handlers.update(room.deadlines)
        loop = TimersLoop(self.mongo, self.clock, handlers, self._perform_timer)
        fired = 0
        while now := await loop.fire_due():
            fired += now
        return fired

    async def _perform_timer(self, timer: Timer, handler: OnDue) -> None:
        async def work(unit: Unit) -> None:
            await handler(timer, unit)

        context = self.runtime.system_context(f"timer:{timer.kind}")
        await self.runtime.perform(replace(context, now=timer.due_at), work)

    async def get(self, who: str | None, path: str, **query: Any) -> httpx2.Response:
        return await self.browser.get(path, headers=self._headers(who), params=query)

    async def post(
        self, who: str | None, path: str, body: Any = None, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        sent = {**self._headers(who), "Idempotency-Key": key or new_id("k"), **headers}
        return await self.browser.post(path, headers=sent, json={} if body is None else body)

    def _headers(self, who: str | None) -> dict[str, str]:
        """As somebody who signed in as that subject, or as another service of the house."""
        if who is None:
            return {"Authorization": f"Internal {INTERNAL_KEY}"}
        return {"Authorization": f"Bearer {self.issuer.token(sub=who)}"}

    async def clear(self) -> None:
        """An empty house, indexes and writers in place."""
        repositories, collections = _kept(self.rooms)
        for name in (*repositories, *(collection.name for collection in collections), EVENTS):
            await self.mongo[name].delete_many({})


@asynccontextmanager
async def open_desk(url: str, **changes: Any) -> AsyncIterator[Desk]:
    """`changes`: settings that are other than usual."""
    mongo = Mongo(url, f"desk_{new_id('t')[-12:].lower()}")
    clock, issuer = MovableClock(), Issuer(HandClock())
    committer = Committer(mongo, "desk", lambda events: None, _no_relay)
    runtime = Runtime("partners", mongo, clock, committer)
    settings = PartnersSettings(**{"internal_key": SecretStr(INTERNAL_KEY), "demo": True, **changes})
    rooms = (kit_room("partners"), *build(runtime, settings))
    repositories, collections = _kept(rooms)
    await event_log.prepare(mongo)
    await create_indexes(mongo, [*(one.documents for one in repositories.values()), *collections])
    await committer.start()
    runtime.observers.append(lambda unit: _assert_parity(unit, repositories))
    authenticator = Authenticator(verifier_for(issuer), directory(runtime), INTERNAL_KEY)
    app = http_app(runtime, rooms, settings, authenticator, Health(), Metrics())
    transport = httpx2.ASGITransport(app=app)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://partners") as browser:
            yield Desk(mongo, runtime, rooms, clock, issuer, browser, app)
    finally:
        await committer.stop()
        await mongo.client.drop_database(mongo.database.name)
        await mongo.close()


async def _no_relay(writer: Writer) -> None:
    return None


def _kept(rooms: tuple[Room, ...]) -> tuple[dict[str, Repository[Any]], list[Any]]:
    repositories = {one.collection: one for room in rooms for one in room.repositories}
    collections = [one for room in rooms for one in room.collections]
    return repositories, [*collections, timers.DOCUMENTS, idempotency.ANSWERS]


async def _assert_parity(unit: Unit, repositories: dict[str, Repository[Any]]) -> None:
    for write in unit.change.aggregates.values():
        state, version, link = await repositories[write.collection].replay(unit.mongo, write.id)
        document = await unit.mongo[write.collection].find_one({"_id": write.id})
        if document["version"] != version:  # Somebody else has gone on meanwhile; theirs is checked too.
            continue
        assert document["state"] == state
        assert document["hash"] == link
