"""The whole house in one process, on real servers: three services behind one origin, the demo's sign-in, its
people.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from deploy.local import demo_data
from deploy.local.oidc.provider import ACCESS_TOKEN_S, ACCESS_TOKEN_TYPE, Provider
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.personas import persona_by_key
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.stack import SIGNED_IN_AT
from services.__main__ import SERVICES, application, settings_of
from services.partners import seed
from shared.http.server import Served, serving
from shared.ids import uuid7
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from shared.storage.verify import Report, verify
from tests.support.road import until

INTERNAL_KEY = "a key for tests, which is long enough"
WITHIN_S = 30.0
# A token is made anew long before it ends, however long a house stands.
TOKEN_USED_S = ACCESS_TOKEN_S / 2


class Bearer(httpx2.Auth):
    """Signs each request in. The token is kept for a while, as a browser's session would."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token, self._kept, self._made_at = token, "", -TOKEN_USED_S

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        if time.monotonic() - self._made_at > TOKEN_USED_S:
            self._kept, self._made_at = self._token(), time.monotonic()
        request.headers["Authorization"] = f"Bearer {self._kept}"
        yield request


@dataclass
class House:
    """`who` is one of the demo's people by key, or any other subject: the sign-in knows everybody here."""

    url: str
    served: dict[str, Served]
    provider: Provider
    # What another process must be told to find this house.
    environment: dict[str, str]
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def as_(self, who: str) -> httpx2.AsyncClient:
        """A client that acts for somebody."""
        if who not in self.clients:
            self.clients[who] = self.client(auth=Bearer(lambda: self.token(who)))
        return self.clients[who]

    def with_key(self, key: str) -> httpx2.AsyncClient:
        """A client that acts for the system whose key it is."""
        if key not in self.clients:
            self.clients[key] = self.client(headers={"Authorization": f"ApiKey {key}"})
        return self.clients[key]

    def as_the_house(self) -> httpx2.AsyncClient:
        """A client that acts as one of its services."""
        if INTERNAL_KEY not in self.clients:
            self.clients[INTERNAL_KEY] = self.client(headers={"Authorization": f"Internal {INTERNAL_KEY}"})
        return self.clients[INTERNAL_KEY]

    def client(self, **options: Any) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.url, timeout=30, trust_env=False, **options)

    def token(self, who: str, **claims: Any) -> str:
        """A good token of the demo's sign-in, but for the claims that are given."""
        persona, now_s = persona_by_key(who), int(time.time())
        good = {
            "iss": self.provider.issuer,
            "aud": self.provider.audience,
            "sub": who if persona is None else persona.subject,
            "iat": now_s,
            "exp": now_s + ACCESS_TOKEN_S,
            "jti": uuid4().hex,
        }
        return self.provider.keys.sign({**good, **claims}, typ=ACCESS_TOKEN_TYPE)

    async def post(self, who: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        """Do it, and give what was answered; a refusal fails the test with its problem."""
        answer = await self.try_post(who, path, body, **headers)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def try_post(
        self, who: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> httpx2.Response:
        return await posted(self.as_(who), path, body, **headers)

    async def get(self, who: str, path: str, **query: str) -> Any:
        answer = await self.as_(who).get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def see(
        self, who: str, path: str, holds: Callable[[Any], Any] = lambda _: True, **query: str
    ) -> Any:
        """What somebody sees there, as soon as it is there and as it should be."""
        seen: list[Any] = []

        async def is_so() -> bool:
            answer = await self.as_(who).get(path, params=query)
            seen[:] = [answer.json()]
            return answer.status_code == 200 and bool(holds(seen[0]))

        try:
            await until(is_so, WITHIN_S)
        except AssertionError:
            raise AssertionError(f"{who} does not see it at {path}, but {str(seen)[:2_000]}") from None
        return seen[0]

    async def eventually(self, condition: Callable[[], Awaitable[bool]], within_s: float = WITHIN_S) -> None:
        await until(condition, within_s)

    async def until_ready(self, within_s: float = 60.0) -> None:
        """Nothing is missing: every consumer listens."""

        async def is_ready() -> bool:
            return (await self.as_("operator").get("/readyz")).status_code == 200

        await until(is_ready, within_s)

    async def close(self) -> None:
        for client in self.clients.values():
            await client.aclose()

    @property
    def databases(self) -> dict[str, Mongo]:
        return {name: one.application.mongo for name, one in self.served.items()}

    async def records(self) -> dict[str, Report]:
        """What `concord verify` finds, service by service."""
        found = {}
        for name, one in self.served.items():
            repositories = [repository for room in one.application.rooms for repository in room.repositories]
            found[name] = await verify(one.application.mongo, repositories)
        return found


async def posted(
    client: httpx2.AsyncClient, path: str, body: dict[str, Any] | None = None, **headers: str
) -> httpx2.Response:
    """With a key of its own, as everything that changes something has."""
    key = {"Idempotency-Key": str(uuid7())}
    return await client.post(path, json=body or {}, headers={**key, **headers})


@asynccontextmanager
async def open_house(
    mongo_url: str, kafka_bootstrap: str, name: str, *, only: Sequence[str] = tuple(SERVICES), **changes: Any
) -> AsyncIterator[House]:
    """`name` is in the names of its databases and topics, so no two houses share one: letters and digits."""
    try:
        async with AsyncExitStack() as stack:
            back = f"http://{LOOPBACK}{SIGNED_IN_AT}"
            signing_in = OidcSettings(demo=True, oidc_redirect_uris=back)
            provider = await stack.enter_async_context(running_provider(signing_in))
            chosen = _chosen(mongo_url, kafka_bootstrap, name, provider)
            served = {service: _served(service, {**chosen, **changes}) for service in only}
            settings = settings_of(only[0], **chosen, **changes)
            url = await stack.enter_async_context(serving(list(served.values()), settings))
            environment = {f"CONCORD_{field.upper()}": str(value) for field, value in chosen.items()}
            house = House(url, served, provider, environment)
            stack.push_async_callback(house.close)
            if "partners" in served:
                runtime = served["partners"].application.runtime
                await seed.seed(runtime, demo_data.PEOPLE, demo_data.PARTNERS)
            yield house
    finally:
        await _drop(mongo_url, [f"{name}_{service}" for service in only])


def _chosen(mongo_url: str, kafka_bootstrap: str, name: str, provider: Provider) -> dict[str, Any]:
    port = free_port()
    return {
        "demo": True,
        "mongo_url": mongo_url,
        "kafka_url": kafka_bootstrap,
        "mongo_database_prefix": name,
        "kafka_topic_prefix": f"{name}.",
        "oidc_issuer": provider.issuer,
        "internal_key": INTERNAL_KEY,
        "http_port": port,
        "partners_url": f"http://127.0.0.1:{port}",
    }


def _served(service: str, chosen: dict[str, Any]) -> Served:
    settings = settings_of(service, **chosen)
    made = application(service, settings)
    made.runtime.observers.append(parity(made.rooms))
    return Served(made, SERVICES[service].directory(made.runtime, settings), settings)


async def _drop(mongo_url: str, databases: Sequence[str]) -> None:
    """After the services have gone: while they run they would make them anew."""
    for database in databases:
        mongo = Mongo(mongo_url, database)
        await mongo.client.drop_database(database)
        await mongo.close()


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
