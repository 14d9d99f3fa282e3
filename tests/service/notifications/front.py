"""The service as its composition root makes it, on a socket: all but the broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from deploy.local.ports import free_port
from services.notifications.main import build
from services.notifications.settings import NotificationsSettings
from shared.clock import SystemClock
from shared.contracts.envelope import Event
from shared.contracts.partners.person import PersonAdmitted, RoleGranted, RoleWithdrawn, Scope
from shared.contracts.partners.system import KeyIssued, SystemRegistered
from shared.contracts.vocabulary import Role, ScopeKind
from shared.http import idempotency
from shared.http.api_keys import new_api_key
from shared.http.app import http_app
from shared.http.auth import Authenticator
from shared.http.directory_projection import projected_directory
from shared.http.health import Health
from shared.ids import new_id
from shared.messaging import parked
from shared.messaging.consumer import Consumer
from shared.messaging.parked import RawRecord
from shared.service import Room, Runtime
from shared.storage import timers
from shared.storage.committer import Committer
from shared.storage.documents import create_indexes
from shared.storage.mongo import Mongo
from shared.telemetry import Metrics
from shared.web.room import kit_room
from tests.service.notifications.desk import Topics, assert_parity, no_relay
from tests.support.browsing import Browser, browser_of
from tests.support.issuer import HandClock, Issuer, verifier_for


@dataclass
class Front:
    mongo: Mongo
    runtime: Runtime
    rooms: tuple[Room, ...]
    topics: Topics
    consumers: dict[str, list[Consumer]]
    issuer: Issuer
    http: httpx2.AsyncClient
    app: FastAPI

    async def hear(self, *events: Event) -> list[RawRecord]:
        records = [self.topics.record(event, at=self.runtime.clock) for event in events]
        for record in records:
            for consumer in self.consumers[record.topic]:
                await consumer.handle([record])
        return records

    async def admit(self, role: Role, language: str = "en", **scope: str) -> str:
        """Somebody who signs in under their own id; what is said to be theirs is an Authorization header."""
        person, parts = new_id("prs"), _parts(scope)
        await self.hear(
            PersonAdmitted(person_id=person, subject=person, language=language, zone="UTC"),
            RoleGranted(person_id=person, role=role, scope=parts),
        )
        return person

    async def withdraw(self, person: str, role: Role, **scope: str) -> None:
        await self.hear(RoleWithdrawn(person_id=person, role=role, scope=_parts(scope)))

    async def register_system(self, **scope: str) -> tuple[str, str]:
        """A system and the text of its key."""
        system, key = new_id("sys"), new_api_key()
        await self.hear(
            SystemRegistered(system_id=system, label="Portal", owner_id="prs_1", scope=_parts(scope)),
            KeyIssued(system_id=system, key_id=key.key_id, sha256=key.sha256),
        )
        return system, key.text

    def as_(self, who: str, **claims: Any) -> dict[str, str]:
        """The headers of a person's request, or of the system whose key it is."""
        if who.startswith("ck_"):
            return {"Authorization": f"ApiKey {who}"}
        return {"Authorization": f"Bearer {self.issuer.token(sub=who, **claims)}"}

    def browser(self, who: str | None = None) -> Browser:
        """Signed in as somebody who was admitted; at the very socket, so what is sent out comes back in."""
        return browser_of(self.app, who, base_url=str(self.http.base_url))

    async def get(self, who: str, path: str, **query: Any) -> httpx2.Response:
        return await self.http.get(f"/notifications/v1{path}", headers=self.as_(who), params=query)

    async def read(self, who: str, path: str, **query: Any) -> Any:
        answer = await self.get(who, path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, who: str, path: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        headers = {**self.as_(who), "Idempotency-Key": new_id("k")}
        return await self.http.post(f"/notifications/v1{path}", headers=headers, json=body or {})


def _parts(scope: dict[str, str]) -> tuple[Scope, ...]:
    return tuple(Scope(kind=ScopeKind(kind), value=value) for kind, value in scope.items())


@asynccontextmanager
async def open_front(mongo: Mongo, **changes: Any) -> AsyncIterator[Front]:
    """Workers run, so everything that is due happens by itself; timers fire when a test lets them."""
    clock, issuer = SystemClock(), Issuer(HandClock(SystemClock().real()))
    committer = Committer(mongo, "front", lambda events: None, no_relay)
    runtime = Runtime("notifications", mongo, clock, committer)
    settings = NotificationsSettings(demo=True, http_port=free_port(), **changes)
    rooms = (kit_room("notifications"), *build(runtime, settings))
    plain = [collection for room in rooms for collection in room.collections]
    kept = [repository.documents for room in rooms for repository in room.repositories]
    await create_indexes(mongo, [*plain, *kept, timers.DOCUMENTS, parked.DOCUMENTS, idempotency.ANSWERS])
    await committer.start()
    runtime.observers.append(assert_parity)
    directory = projected_directory(runtime, settings)
    directory.freshness.touch()
    app = http_app(
        runtime, rooms, settings, Authenticator(verifier_for(issuer), directory, ""), Health(), Metrics()
    )
    consumers: dict[str, list[Consumer]] = {}
    for room in rooms:
        for subscription in room.subscriptions:
            consumers.setdefault(subscription.topic, []).append(Consumer(runtime, subscription, Metrics()))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(committer.stop)
        await stack.enter_async_context(_working(rooms))
        url = await stack.enter_async_context(_on_a_socket(app, settings.http_port))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, timeout=20, trust_env=False))
        yield Front(mongo, runtime, rooms, Topics(), consumers, issuer, http, app)


@asynccontextmanager
async def _working(rooms: tuple[Room, ...]) -> AsyncIterator[None]:
    workers = [worker for room in rooms for worker in room.workers]
    running = [asyncio.create_task(worker.run(), name=worker.name) for worker in workers]
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        async with asyncio.timeout(10):
            await asyncio.gather(*running)


@asynccontextmanager
async def _on_a_socket(app: Any, port: int) -> AsyncIterator[str]:
    config = uvicorn.Config(
        app, port=port, http="httptools", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await serving
