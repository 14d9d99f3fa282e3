"""The agreements service in this process, on a real MongoDB: commands, facts it hears, due timers, and its
HTTP without a socket. After every commit the stored state of what was written equals what its stream gives.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import httpx2
from fastapi import FastAPI

from services.agreements.instruments import handlers
from services.agreements.instruments.commands import DraftAgreement, SendForSignature, SignAgreement
from services.agreements.instruments.deadlines import deadlines
from services.agreements.instruments.documents import agreements
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.main import build
from services.agreements.settings import AgreementsSettings
from shared.context import Actor, system_actor
from shared.contracts import catalogue
from shared.contracts.agreements.agreement import AgreementKind, Party
from shared.contracts.envelope import Event, Provenance, open_envelope, seal
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.contracts.partners.person import PersonAdmitted, RoleGranted, Scope
from shared.contracts.vocabulary import Grant, PartnerKind, Role, ScopeKind
from shared.http import idempotency
from shared.http.app import http_app
from shared.http.auth import Authenticator
from shared.http.directory_projection import projected_directory
from shared.http.health import Health
from shared.ids import new_id, uuid7
from shared.messaging import parked
from shared.messaging.consumer import Consumer
from shared.messaging.parked import RawRecord
from shared.messaging.watermarks import WATERMARKS
from shared.service import Room, Runtime
from shared.storage import event_log, timers
from shared.storage.change import EVENTS
from shared.storage.committer import Committer
from shared.storage.documents import Collection, create_indexes
from shared.storage.event_log import Writer, read_stream
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from shared.storage.timers import OnDue, Perform, Timer, TimersLoop
from shared.telemetry import Metrics
from shared.web.room import kit_room
from tests.support.issuer import HandClock, Issuer, verifier_for

MORNING = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
TEXT = "The sides cooperate on participatory slum upgrading."
OFFICER = Actor(id=new_id("prs"), grants=(Grant(Role.PARTNERSHIP_OFFICER),))
SIGNATORY = Actor(id=new_id("prs"), grants=(Grant(Role.SIGNATORY),))

R = TypeVar("R")


def user_of(partner_id: str) -> Actor:
    return Actor(id=new_id("prs"), grants=(Grant(Role.PARTNER_USER, (("partner", partner_id),)),))


@dataclass
class BusinessClock:
    """The business's time stands still until it is moved by hand. The machine's goes on, in the database's
    milliseconds, so that what is due now is due by the database's clock as well.
    """

    at: datetime = MORNING

    def now(self) -> datetime:
        return self.at

    def real(self) -> datetime:
        real = datetime.now(UTC)
        return real.replace(microsecond=real.microsecond // 1_000 * 1_000)


@dataclass
class Desk:
    mongo: Mongo
    runtime: Runtime
    rooms: tuple[Room, ...]
    clock: BusinessClock
    consumers: dict[str, Consumer]
    issuer: Issuer
    browser: httpx2.AsyncClient
    app: FastAPI
    deadlines: dict[str, OnDue] = field(default_factory=dict)
    heard: Counter[str] = field(default_factory=Counter)

    async def clear(self) -> None:
        """An empty house, indexes and writers in place."""
        for name in (*_kept(self.rooms), EVENTS, WATERMARKS):
            await self.mongo[name].delete_many({})
        self.clock.at = MORNING
        self.heard.clear()
        self.deadlines = {kind: on_due for room in self.rooms for kind, on_due in room.deadlines.items()}

    def take_small_steps(self) -> None:
        self.deadlines = {**self.deadlines, **deadlines(chunk_agreements=3)}

    # What people do

    async def do(self, command: Any, actor: Actor) -> Agreement:
        """A command by whoever may give it, by the handler of its name."""
        handler = _HANDLERS[type(command)]
        return await self.perform(lambda unit: handler(command, unit), actor)

    async def overtaken(
        self, command: Any, actor: Actor, meanwhile: Callable[[], Awaitable[object]]
    ) -> Agreement:
        """A command that something else overtakes after it was decided and before it is written."""
        handler, overtaken = _HANDLERS[type(command)], False

        async def work(unit: Unit) -> Agreement:
            nonlocal overtaken
            decided = await handler(command, unit)
            if not overtaken:
                overtaken = True
                await meanwhile()
            return decided

        return await self.perform(work, actor)

    async def perform(self, work: Callable[[Unit], Awaitable[R]], actor: Actor = OFFICER) -> R:
        return await self.runtime.perform(self.runtime.context(actor), work)

    async def draft(self, partner_id: str, **changes: Any) -> Agreement:
        return await self.do(self.drafting(partner_id, **changes), OFFICER)

    def drafting(self, partner_id: str, **changes: Any) -> DraftAgreement:
        asked = {
            "partner_id": partner_id,
            "kind": AgreementKind.MEMORANDUM,
            "title": "Participatory slum upgrading in Kisumu",
            "text": TEXT,
            "starts_on": None,
            "ends_on": date(2030, 12, 31),
        }
        return DraftAgreement.model_validate({**asked, **changes})

    async def send(self, agreement: Agreement) -> Agreement:
        return await self.do(SendForSignature(agreement_id=agreement.id), OFFICER)

    async def sent(self, partner_id: str, **changes: Any) -> Agreement:
        return await self.send(await self.draft(partner_id, **changes))

    async def sign(self, agreement: Agreement, actor: Actor, name: str = "Amina Otieno") -> Agreement:
        return await self.do(self.signing(agreement, actor, name), actor)

    def signing(self, agreement: Agreement, actor: Actor, name: str = "Amina Otieno") -> SignAgreement:
        party = Party.ORGANISATION if actor is SIGNATORY else Party.PARTNER
        return SignAgreement(
            agreement_id=agreement.id, party=party, text_sha256=agreement.text_sha256, name=name
        )

    async def signed(self, agreement: Agreement) -> Agreement:
        await self.sign(agreement, user_of(agreement.partner_id))
        return await self.sign(agreement, SIGNATORY)

    # What partners says

    async def register(self, country: str = "KEN") -> str:
        partner_id = new_id("ptn")
        name = f"Federation {partner_id}"
        await self.hear(
            PartnerRegistered(
                partner_id=partner_id,
                legal_name=name,
                name_key=name.casefold(),
                kind=PartnerKind.CIVIL_SOCIETY,
                country=country,
                contact_id=new_id("prs"),
            )
        )
        return partner_id

    async def suspend(self, partner_id: str) -> str:
        return await self.hear(PartnerSuspended(partner_id=partner_id, reason="The accounts are late"))

    async def reinstate(self, partner_id: str) -> str:
        return await self.hear(PartnerReinstated(partner_id=partner_id, reason="The accounts came"))

    async def admit(self, role: Role, **scope: str) -> Actor:
        """Somebody in the directory, who signs in under their own id."""
        parts = tuple(Scope(kind=ScopeKind(kind), value=value) for kind, value in scope.items())
        person_id = new_id("prs")
        await self.hear(PersonAdmitted(person_id=person_id, subject=person_id, language="en", zone="UTC"))
        await self.hear(RoleGranted(person_id=person_id, role=role, scope=parts))
        return Actor(id=person_id, grants=(Grant(role, tuple(scope.items())),))

    async def hear(self, event: Event) -> str:
        """One fact of partners through the real consumers; the id of the event."""
        fields, id, now = event.model_dump(), str(uuid7()), self.clock.now()
        subject = str(fields.get("person_id", fields.get("partner_id")))
        self.heard[subject] += 1
        provenance = Provenance(actor="prs_1", time=now, recorded_at=now, correlation_id=str(uuid7()))
        version = self.heard[subject]
        source = "/concord/partners"
        body = seal(event, id=id, source=source, subject=subject, version=version, provenance=provenance)
        record = RawRecord(
            topic="concord.partners.v1",
            partition=0,
            offset=self.heard.total(),
            key=subject.encode(),
            value=body,
            headers=(),
        )
        for consumer in self.consumers.values():
            await consumer.handle([record])
        return id

    # What is asked over HTTP

    async def get(self, who: Actor, path: str, **query: str) -> httpx2.Response:
        return await self.browser.get(path, headers=self._headers(who), params=query)

    async def post(
        self, who: Actor, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        sent = {**self._headers(who), "Idempotency-Key": new_id("k"), **headers}
        return await self.browser.post(path, headers=sent, json=body or {})

    def _headers(self, who: Actor) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.token(sub=who.id)}"}

    # What time does

    def timers(self, perform: Perform | None = None) -> TimersLoop:
        return TimersLoop(self.mongo, self.clock, self.deadlines, perform or self.perform_timer)

    async def perform_timer(self, timer: Timer, handler: OnDue) -> None:
        context = self.runtime.context(system_actor(f"timer:{timer.kind}"), now=timer.due_at)
        await self.runtime.perform(context, lambda unit: handler(timer, unit))

    async def let_timers_fire(self) -> None:
        while await self.timers().fire_due():
            pass

    async def move_to(self, instant: datetime) -> None:
        self.clock.at = instant
        await self.let_timers_fire()

    # What became of it

    async def let_claims_run_out(self) -> None:
        """As they do when nobody is left to fire what was claimed."""
        await self.mongo[timers.TIMERS].update_many({}, {"$set": {"claimed_until": None}})

    async def read(self, id: str) -> Agreement:
        document = await self.mongo[agreements.collection].find_one({"_id": id})
        return agreements.restore(document)

    async def events(self, id: str) -> list[Event]:
        stream = await read_stream(self.mongo, id)
        return [catalogue.event_of(open_envelope(event.body)) for event in stream]

    async def count(self, id: str, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in await self.events(id))

    async def timer_kinds(self, subject: str) -> list[str]:
        return sorted([timer["kind"] async for timer in self.mongo[timers.TIMERS].find({"subject": subject})])


_HANDLERS: dict[type, Callable[[Any, Unit], Awaitable[Agreement]]] = {
    DraftAgreement: handlers.draft_agreement,
    SendForSignature: handlers.send_for_signature,
    SignAgreement: handlers.sign_agreement,
}


async def assert_parity(unit: Unit) -> None:
    """What the stream gives is what is stored, unless somebody has gone on meanwhile."""
    for write in unit.change.aggregates.values():
        state, version, link = await agreements.replay(unit.mongo, write.id)
        document = await unit.mongo[write.collection].find_one({"_id": write.id})
        if document["version"] == version:
            assert (document["state"], document["hash"]) == (state, link)


def _kept(rooms: tuple[Room, ...]) -> dict[str, Collection]:
    kept = [repository.documents for room in rooms for repository in room.repositories]
    plain = [collection for room in rooms for collection in room.collections]
    furniture = [timers.DOCUMENTS, parked.DOCUMENTS, idempotency.ANSWERS]
    return {collection.name: collection for collection in (*kept, *plain, *furniture)}


async def _no_relay(writer: Writer) -> None:
    return None


@asynccontextmanager
async def open_desk(url: str) -> AsyncIterator[Desk]:
    mongo, clock, issuer = (
        Mongo(url, f"desk_{new_id('t')[-12:].lower()}"),
        BusinessClock(),
        Issuer(HandClock()),
    )
    committer = Committer(mongo, "desk", lambda events: None, _no_relay)
    runtime = Runtime("agreements", mongo, clock, committer)
    settings = AgreementsSettings(demo=True)
    rooms = (kit_room("agreements"), *build(runtime, settings))
    await event_log.prepare(mongo)
    await create_indexes(mongo, _kept(rooms).values())
    await committer.start()
    runtime.observers.append(assert_parity)
    heard = [subscription for room in rooms for subscription in room.subscriptions]
    consumers = {one.purpose: Consumer(runtime, one, Metrics()) for one in heard}
    directory = projected_directory(runtime, settings)
    directory.freshness.touch()
    authenticator = Authenticator(verifier_for(issuer), directory, "")
    app = http_app(runtime, rooms, settings, authenticator, Health(), Metrics())
    transport = httpx2.ASGITransport(app=app)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://agreements") as browser:
            yield Desk(mongo, runtime, rooms, clock, consumers, issuer, browser, app)
    finally:
        await committer.stop()
        await mongo.client.drop_database(mongo.database.name)
        await mongo.close()
