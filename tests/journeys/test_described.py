"""Whatever the house refuses over its API, the description of the operation names: the code, under the status
that is answered.
"""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from shared.http.problems import MEDIA_TYPE
from tests.journeys import steps
from tests.journeys.bad_requests import NOBODY, Route, routes_of
from tests.journeys.steps import OFFICER, OPERATOR
from tests.support.house import House, posted

pytestmark = pytest.mark.asyncio
FAULTS_EACH_MAX = 12

Documents = dict[str, dict[str, Any]]


@pytest_asyncio.fixture(loop_scope="session")
async def documents(house: House) -> AsyncIterator[Documents]:
    yield {name: await house.get(OPERATOR, f"/{name}/v1/openapi.json") for name in house.served}


def require_named(documents: Documents, method: str, path: str, answer: httpx2.Response) -> None:
    if answer.status_code < 400:
        return
    operation = documents[path.split("/")[1]]["paths"][path][method.lower()]
    problem, status = answer.json(), str(answer.status_code)
    named = operation["responses"].get(status, {}).get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    assert problem["code"] in named, (method, path, status, problem)


async def test_what_is_asked_for_nothing_or_wrongly(house: House, documents: Documents) -> None:
    routes: list[Route] = [route for document in documents.values() for route in routes_of(document)]
    for route in routes:
        client, path = house.as_(route.who), route.at(NOBODY)
        if route.method == "GET":
            if route.names_something:
                require_named(documents, "GET", route.path, await client.get(path))
            continue
        if route.names_something or route.body is None:
            require_named(documents, route.method, route.path, await posted(client, path, route.fitting))
        require_named(documents, route.method, route.path, await client.post(path))
        for _, body in islice(route.faults(), FAULTS_EACH_MAX):
            headers = {"Content-Type": "application/json", "Idempotency-Key": "a key that is used again"}
            answer = await client.post(path, content=body, headers=headers)
            require_named(documents, route.method, route.path, answer)


async def test_what_the_rules_of_the_rooms_refuse(house: House, documents: Documents) -> None:
    partner = await steps.register_partner(house)
    suspend = "/partners/v1/partners/{id}/suspensions"
    tried: list[tuple[str, str, dict[str, Any] | None]] = [
        ("/partners/v1/partners/{id}/suspensions", partner.id, {"reason": "short"}),
        ("/partners/v1/partners/{id}/invitations", partner.id, {"name": "", "email": "x"}),
        ("/notifications/v1/endpoints", "", {"url": "http://example.org", "types": ["agreement.*"]}),
        ("/notifications/v1/endpoints", "", {"url": "nothing", "types": ["agreement.*"]}),
        ("/agreements/v1/agreements/{id}/signing-rounds", partner.id, None),
    ]
    for path, id, body in tried:
        answer = await posted(house.as_(OFFICER), path.replace("{id}", id), body)
        assert answer.status_code >= 400, (path, answer.text)
        require_named(documents, "POST", path, answer)
    for _ in range(2):
        body = {"reason": "The accounts were never received"}
        answer = await posted(house.as_(OFFICER), suspend.replace("{id}", partner.id), body)
        require_named(documents, "POST", suspend, answer)
