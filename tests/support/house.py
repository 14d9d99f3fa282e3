"""The whole house in one process, on real servers: three services behind one origin, the demo's sign-in, its
people.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from deploy.local import demo_data
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.ports import free_port
from services.__main__ import SERVICES, application, settings_of
from services.partners import seed
from shared.http.server import Served, serving
from shared.ids import uuid7
from shared.storage.repository import Unit
from tests.support.road import until

INTERNAL_KEY = "a key for tests, which is long enough"


@dataclass
class House:
    url: str
    served: dict[str, Served]
    token_of: Callable[[str], str]
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def as_(self, persona: str) -> httpx2.AsyncClient:
        """A client that acts for one of the demo's people."""
        if persona not in self.clients:
            headers = {"Authorization": f"Bearer {self.token_of(persona)}"}
            self.clients[persona] = httpx2.AsyncClient(
                base_url=self.url, headers=headers, timeout=30, trust_env=False
            )
        return self.clients[persona]

    async def post(self, persona: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        """Do it, and give what was answered; a refusal fails the test with its problem."""
        answer = await self.try_post(persona, path, body, **headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def try_post(
        self, persona: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        key = {"Idempotency-Key": str(uuid7())}
        return await self.as_(persona).post(path, json=body or {}, headers={**key, **headers})

    async def get(self, persona: str, path: str, **query: str) -> Any:
        answer = await self.as_(persona).get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def eventually(self, condition: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
        await until(condition, within_s)


@asynccontextmanager
async def open_house(
    mongo_url: str, kafka_bootstrap: str, name: str, *, only: Sequence[str] = tuple(SERVICES), **changes: Any
) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(running_provider(OidcSettings(demo=True)))
        port = free_port()
        settings = {
            service: settings_of(
                service,
                demo=True,
                mongo_url=mongo_url,
                kafka_url=kafka_bootstrap,
                mongo_database_prefix=name,
                kafka_topic_prefix=f"{name}.",
                oidc_issuer=provider.issuer,
                internal_key=INTERNAL_KEY,
                http_port=port,
                partners_url=f"http://127.0.0.1:{port}",
                **changes,
            )
            for service in only
        }
        made = {service: application(service, own) for service, own in settings.items()}
        served = {
            service: Served(made[service], SERVICES[service].directory(made[service].runtime, own), own)
            for service, own in settings.items()
        }
        for one in made.values():
            one.runtime.observers.append(parity(one.rooms))
        first = next(iter(settings.values()))
        url = await stack.enter_async_context(serving(list(served.values()), first))
        house = House(url, served, provider.access_token)
        if "partners" in made:
            await seed.seed(made["partners"].runtime, demo_data.PEOPLE, demo_data.PARTNERS)
        yield house
        for client in house.clients.values():
            await client.aclose()


def parity(rooms: Sequence[Any]) -> Callable[[Unit], Awaitable[None]]:
    """After every command: what the stream gives is what is stored."""
    repositories = {r.collection: r for room in rooms for r in room.repositories}

    async def check(unit: Unit) -> None:
        for write in unit.change.aggregates.values():
            state, version, link = await repositories[write.collection].replay(unit.mongo, write.id)
            document = await unit.mongo[write.collection].find_one({"_id": write.id})
            if document["version"] == version:
                assert (document["state"], document["hash"]) == (state, link), write.id

    return check
