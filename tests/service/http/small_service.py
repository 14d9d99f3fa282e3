"""A service of a few routes behind the whole kit: real database, real committer, real tokens."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI
from pydantic import Field, SecretStr

from shared.clock import SystemClock
from shared.context import Actor
from shared.contracts.envelope import Envelope, Event, Provenance, open_envelope, seal
from shared.contracts.partners.person import DelegationGiven, PersonAdmitted, RoleGranted, Scope
from shared.contracts.partners.system import KeyIssued, SystemRegistered
from shared.contracts.vocabulary import Role
from shared.errors import Refusal, Transient
from shared.http import directory_projection, idempotency
from shared.http.api_keys import NewApiKey, new_api_key
from shared.http.app import (
    INTERNAL,
    PUBLIC,
    SIGNED_IN,
    Answer,
    Body,
    Lines,
    Routes,
    SignedIn,
    Work,
    http_app,
)
from shared.http.auth import Authenticator
from shared.http.directory import Directory
from shared.http.directory_projection import Freshness, ProjectedDirectory
from shared.http.health import Health
from shared.http.paging import Page, Paging, page_of
from shared.ids import new_id, uuid7
from shared.messaging.subscription import Received
from shared.service import Room, Runtime
from shared.settings import Settings
from shared.storage.committer import Committer, write_alone
from shared.storage.documents import create_indexes
from shared.storage.event_log import Writer
from shared.storage.repository import Unit
from shared.telemetry import Metrics
from tests.support.issuer import HandClock, Issuer, verifier_for
from tests.support.writing import Member, Writing, members, open_writing, registered

INTERNAL_KEY = "what the services of the house show each other"
SERVICE = "partners"

routes = Routes(SERVICE, room="members")


class MemberIn(Body):
    name: str = Field(min_length=1, max_length=100)
    remark: Lines | None = Field(None, max_length=200)
    seats: int = Field(1, ge=1, le=9)


class MemberOut(Answer):
    id: str
    name: str
    suspended: bool
    version: int


class Who(Answer):
    id: str
    on_behalf_of: str | None


class Gate:
    """Holds a command until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()

    async def pass_through(self) -> None:
        self.reached.set()
        await self.open.wait()

    async def until_reached(self) -> None:
        await asyncio.wait_for(self.reached.wait(), 10)


gates: dict[str, Gate] = {}
tries: dict[str, list[Unit]] = {}


@routes.post("/members", status=201, may="partner:register")
async def register_member(body: MemberIn, work: Work) -> MemberOut:
    if body.remark is not None and body.remark.startswith("gate:"):
        await gates[body.remark.removeprefix("gate:")].pass_through()
    id = new_id("ptn")
    return _out(members.create(work, id, [registered(id, body.name)]), work)


@routes.get("/members", may="partner:read")
async def list_members(paging: Paging, work: Work) -> Page[MemberOut]:
    def make(document: dict[str, Any]) -> MemberOut:
        member = members.restore(document)
        return MemberOut(
            id=member.id, name=member.name, suspended=member.suspended, version=document["version"]
        )

    return await page_of(work.mongo["members"], {}, sort=[("name", 1)], paging=paging, make=make)


@routes.get("/members/{id}", may="partner:read")
async def read_member(id: str, work: Work) -> MemberOut:
    return _out(await members.load(work, id), work)


@routes.post("/members/{id}/suspensions", may="partner:suspend")
async def suspend_member(id: str, work: Work) -> MemberOut:
    tries.setdefault(id, []).append(work)
    member = await members.load(work, id)
    if member.suspended:
        raise Refusal("already_suspended", "This member is suspended already")
    return _out(members.save(work, member, member.toggle()), work)


@routes.post("/members/{id}/turns", may="partner:suspend")
async def turn_member(id: str, work: Work) -> MemberOut:
    tries.setdefault(id, []).append(work)
    member = await members.load(work, id)
    return _out(members.save(work, member, member.toggle()), work)


@routes.delete("/members/{id}/remarks", may="partner:suspend")
async def drop_remarks(id: str, work: Work) -> None:
    work.change.remove_if_there("remarks", id)


@routes.post("/pings", may=PUBLIC, idempotency=False)
async def ping(work: Work) -> Who:
    return _who(work)


@routes.get("/self", may="self:read")
async def read_self(work: Work) -> Who:
    return _who(work)


@routes.get("/signatures", may="agreement:sign")
async def read_signatures(work: Work) -> Who:
    return _who(work)


@routes.post("/arrivals", may=SIGNED_IN)
async def arrive(claims: SignedIn, work: Work) -> Who:
    assert claims.subject
    return _who(work)


@routes.get("/directory", may=INTERNAL)
async def read_directory(work: Work) -> Who:
    return _who(work)


@routes.post("/breakdowns", may="self:read")
async def break_down(work: Work) -> Who:
    members.create(work, id := new_id("ptn"), [registered(id, id)])
    raise RuntimeError("the password of the database is hunter2")


@routes.get("/mistakes", may="self:read")
async def change_while_reading(work: Work) -> Who:
    work.put("remarks", {"_id": "x"})
    return _who(work)


@routes.get("/storms", may="self:read")
async def meet_a_storm(work: Work) -> Who:
    raise Transient("the mail server hung up on postmaster@example.org")


@routes.post("/waits/{gate}", may="self:read")
async def wait_for_gate(gate: str, work: Work) -> Who:
    await gates[gate].pass_through()
    return _who(work)


def _out(member: Member, work: Unit) -> MemberOut:
    version = work.version_of(member.id)
    assert version is not None
    return MemberOut(id=member.id, name=member.name, suspended=member.suspended, version=version)


def _who(work: Unit) -> Who:
    return Who(id=work.context.actor.id, on_behalf_of=work.context.on_behalf_of)


class NobodyThere:
    """The partners service as it is when it cannot be reached; `instead` is what it would say."""

    def __init__(self) -> None:
        self.away = True
        self.instead: Actor | None = None

    async def by_subject(self, issuer: str, subject: str) -> Actor | None:
        if self.away:
            raise Transient("connection refused")
        return self.instead

    async def by_key(self, key_id: str, sha256: str) -> Actor | None:
        return await self.by_subject("", "")


class StandingClock(SystemClock):
    """Runs as a clock does, and as far ahead as the test says."""

    ahead = timedelta(0)

    def real(self) -> Any:
        return super().real() + self.ahead

    def now(self) -> Any:
        return super().now() + self.ahead


@dataclass
class SmallService:
    writing: Writing
    app: FastAPI
    issuer: Issuer
    clock: StandingClock
    freshness: Freshness
    partners: NobodyThere
    health: Health
    metrics: Metrics
    client: httpx2.AsyncClient
    folded: dict[str, int] = field(default_factory=dict)

    async def admit(self, subject: str, *roles: Role, scope: tuple[Scope, ...] = ()) -> str:
        """Somebody in the directory, by the events that tell of them."""
        id = new_id("prs")
        await self.hear(id, PersonAdmitted(person_id=id, subject=subject, language="en", zone="UTC"))
        for role in roles:
            await self.hear(id, RoleGranted(person_id=id, role=role, scope=scope))
        return id

    async def lend(self, borrower: str, lender: str, role: Role, **days: float) -> str:
        now = self.clock.now()
        given = DelegationGiven(
            person_id=borrower,
            delegation_id=new_id("dlg"),
            on_behalf_of=lender,
            role=role,
            starts_at=now + timedelta(days=days["starts"]),
            ends_at=now + timedelta(days=days["ends"]),
        )
        await self.hear(borrower, given)
        return given.delegation_id

    async def new_key(self) -> tuple[str, NewApiKey]:
        id, key = new_id("sys"), new_api_key()
        await self.hear(id, SystemRegistered(system_id=id, label="Portal", owner_id=new_id("prs")))
        await self.hear(id, KeyIssued(system_id=id, key_id=key.key_id, sha256=key.sha256))
        return id, key

    async def hear(self, subject: str, event: Event) -> None:
        """An event of partners reaches the projection, as a consumer would bring it."""
        version = self.folded[subject] = self.folded.get(subject, 0) + 1
        unit = Unit(self.writing.mongo, self.writing.context())
        received = _received(event, subject, version)
        handler = directory_projection.SUBSCRIPTION.handlers[type(event)]
        await handler(event, received, unit)
        await write_alone(self.writing.mongo, unit.change)

    def headers(self, subject: str | None, **more: str) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.issuer.token(sub=subject)}"} if subject else {}
        return {**own, **{name.replace("_", "-"): value for name, value in more.items()}}

    async def get(self, subject: str | None, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers=self.headers(subject, **headers))

    async def post(
        self, subject: str | None, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        """With a key of its own unless the test gives one."""
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        own = self.headers(subject, Idempotency_Key=key or str(uuid7()), **headers)
        return await self.client.post(
            path, content=content, headers={"content-type": "application/json", **own}
        )

    async def stored(self) -> dict[str, int]:
        """How many documents of each kind there are: what must not change when something is refused."""
        mongo = self.writing.mongo
        return {name: await mongo[name].count_documents({}) for name in ("members", "events", "answers")}


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem this answer is; fails where it is another, or not the one kind of document we have."""
    said: dict[str, Any] = answer.json()
    assert (answer.status_code, said["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said["type"] == f"/problems/{code}"
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    assert said["instance"] == answer.headers["correlation-id"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return said


@asynccontextmanager
async def open_small_service(
    mongo_url: str, *, rooms: Sequence[Room] = (), **settings: Any
) -> AsyncIterator[SmallService]:
    """`rooms`: others beside its own."""
    async with AsyncExitStack() as stack:
        name = f"http_{new_id('t')[-12:].lower()}"
        writing = await stack.enter_async_context(open_writing(mongo_url, name))
        more = [collection for room in rooms for collection in room.collections]
        await create_indexes(writing.mongo, [idempotency.ANSWERS, directory_projection.COLLECTION, *more])
        service = _small_service(writing, Issuer(HandClock()), settings, rooms)
        service.client = await stack.enter_async_context(_client(service.app))
        yield service


@asynccontextmanager
async def open_twin(service: SmallService) -> AsyncIterator[SmallService]:
    """A second process of the same service: another committer, another memory, one database."""
    mongo = service.writing.mongo

    async def new_log(writer: Writer) -> None:
        return None

    committer = Committer(mongo, "twin", lambda events: None, new_log)
    await committer.start()
    runtime = Runtime(SERVICE, mongo, SystemClock(), committer)
    runtime.observers.extend(service.writing.runtime.observers)
    twin = _small_service(Writing(mongo, committer, runtime), service.issuer, {})
    try:
        async with _client(twin.app) as twin.client:
            yield twin
    finally:
        await committer.stop()


def _small_service(
    writing: Writing, issuer: Issuer, changes: dict[str, Any], rooms: Sequence[Room] = ()
) -> SmallService:
    clock, partners = StandingClock(), NobodyThere()
    writing.runtime.clock = clock
    freshness = Freshness(clock)
    freshness.touch()
    directory: Directory = ProjectedDirectory(writing.mongo, clock, freshness, partners)
    settings = Settings(**{"demo": True, "internal_key": SecretStr(INTERNAL_KEY), **changes})
    authenticator = Authenticator(verifier_for(issuer), directory, settings.internal_key.get_secret_value())
    health, metrics = Health(), Metrics()
    room = Room(name="members", repositories=(members,), routes=(routes,))
    runtime: Runtime = writing.runtime
    app = http_app(runtime, [room, *rooms], settings, authenticator, health, metrics)
    client = httpx2.AsyncClient()
    return SmallService(writing, app, issuer, clock, freshness, partners, health, metrics, client)


@asynccontextmanager
async def _client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://concord/partners/v1") as client:
        yield client


@asynccontextmanager
async def on_a_socket(app: FastAPI) -> AsyncIterator[tuple[str, int]]:
    """The application behind a real server, for what only a socket can do."""
    config = uvicorn.Config(app, port=0, http="httptools", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[:2]
    finally:
        server.should_exit = True
        await serving


def _received(event: Event, subject: str, version: int) -> Received:
    clock = SystemClock()
    provenance = Provenance(
        actor="system:test", time=clock.now(), recorded_at=clock.real(), correlation_id=str(uuid7())
    )
    body = seal(
        event,
        id=str(uuid7()),
        source="/concord/partners",
        subject=subject,
        version=version,
        provenance=provenance,
    )
    envelope: Envelope = open_envelope(body)
    return Received(envelope=envelope, body=body, topic="concord.partners.v1", partition=0, offset=version)
