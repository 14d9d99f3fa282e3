"""Whatever is sent to whichever route of the house: a problem with a code, nothing stored, and never our
fault.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Awaitable, Iterable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from deploy.local.oidc.keys import KeyChain
from shared.clock import SystemClock
from shared.http.api_keys import new_api_key
from shared.ids import uuid7
from shared.web.site import SIGN_IN
from tests.journeys import steps
from tests.journeys.bad_requests import NOBODY, Route, routes_of
from tests.journeys.steps import OFFICER, OPERATOR
from tests.support.house import House, posted

pytestmark = pytest.mark.asyncio
AT_ONCE = 8
REST_S = 0.5
CODE = re.compile(r"[a-z][a-z0-9_]{2,60}")
# Leases, positions and how far a view has read move by themselves.
RESTLESS = frozenset({"writers", "relays", "views"})
# What of somebody's own a route of this part of the path names.
OF_PART = {
    "partners": "partner",
    "standings": "partner",
    "agreements": "agreement",
    "endpoints": "endpoint",
    "inbox": "item",
    "deliveries": "item",
    "people": "person",
    "systems": "system",
    "invitations": "partner",
}
STRANGE_IDS = (
    NOBODY,
    "unknown",
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF",
    "%F0%9F%92%A9",
    "$ne",
    "%7B%22$ne%22%3A%22%22%7D",
    "..",
    "..%2f..%2f",
    "%0d%0aLocation:x",
    "%20",
    "x" * 20_000,
)
STRANGE_VALUES = ("", "\0", "\ud7ff\uffff", "-1", "NaN", "1e9", "9" * 40, "[]", '{"$ne": ""}', "x" * 9_000)
STRANGE_CURSORS = (
    b"",
    b"\xff",
    b"null",
    b"[]",
    b"{}",
    b'[{"$gt": ""}]',
    b'["a", {"$ne": 1}]',
    b'["\\u0000"]',
)


@pytest_asyncio.fixture(loop_scope="session")
async def routes(house: House) -> list[Route]:
    found: list[Route] = []
    for service in house.served:
        found += routes_of(await house.get(OPERATOR, f"/{service}/v1/openapi.json"))
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def unchanged(house: House) -> AsyncIterator[House]:
    """The house, in which the test must leave nothing changed."""
    before = await at_rest(house)
    yield house
    assert await stored(house) == before


async def test_every_body_that_does_not_fit_is_refused(unchanged: House, routes: list[Route]) -> None:
    asked = 0
    for route in routes:
        if route.method != "POST":
            continue
        faults = [(what, body) for what, body in route.faults()]
        answers = await all_of(post_bytes(unchanged, route, body) for _, body in faults)
        for (what, _), answer in zip(faults, answers, strict=True):
            refused(answer, {400, 422}, f"{route.path}: {what}")
        asked += len(faults)
    print(f"\n{asked} requests that do not fit")
    assert asked > 1_000


async def test_what_fits_and_names_something_that_is_not_there_is_refused(
    unchanged: House, routes: list[Route]
) -> None:
    for route in (one for one in routes if one.names_something):
        client = unchanged.as_(route.who)
        answers = await all_of(ask(client, route, route.at(id)) for id in STRANGE_IDS)
        for id, answer in zip(STRANGE_IDS, answers, strict=True):
            place = f"{route.method} {route.path} at {id[:40]}"
            # The house's own routes take nobody else, and `..` may make another address of it: a page's,
            # which leads whoever has no session to the sign-in.
            if id.startswith("..") and answer.status_code == 303:
                assert answer.headers["location"].startswith(SIGN_IN), place
                continue
            refused(answer, {400, 403 if route.may == "internal" else 404, 404, 405, 422}, place)


async def test_what_a_list_is_asked_with_is_read_strictly_or_finds_nothing(
    house: House, routes: list[Route]
) -> None:
    cursors = [base64.urlsafe_b64encode(plain).decode().rstrip("=") for plain in STRANGE_CURSORS]
    for route in routes:
        for name in () if route.names_something else route.queries:
            for value in (*STRANGE_VALUES, *(cursors if name == "cursor" else ())):
                answer = await house.as_(route.who).get(route.path, params={name: value})
                place = f"{route.path}?{name}={value[:40]!r}"
                if answer.status_code != 200:
                    refused(answer, {400, 403, 422}, place)
                assert name not in ("cursor", "limit") or answer.status_code != 200, place


async def test_no_route_answers_whoever_does_not_say_who_they_are(
    unchanged: House, routes: list[Route]
) -> None:
    bad = bad_credentials(unchanged)
    async with unchanged.client() as client:
        for route in routes:
            answers = await all_of(
                client.request(
                    route.method,
                    route.at(NOBODY),
                    headers=[*headers, ("Idempotency-Key", str(uuid7()))],
                    json=route.fitting if route.method == "POST" else None,
                )
                for headers in bad.values()
            )
            for what, answer in zip(bad, answers, strict=True):
                expected = {400} if what == "two tokens" else {401}
                refused(answer, expected, f"{route.method} {route.path}: {what}")


async def test_what_belongs_to_others_is_not_there(house: House, routes: list[Route]) -> None:
    """Also for whoever has the permission elsewhere: the answer is that for what was never there."""
    mine, theirs = await own_things(house), await own_things(house)
    elsewhere = await steps.admit(house)
    await steps.grant(house, elsewhere.id, "partnership_officer", ("country", "TZA"))
    await steps.known_everywhere(house, elsewhere.subject)
    before = await at_rest(house)
    user, system = house.as_(mine["user"]), house.with_key(mine["key"])
    for route in (one for one in routes if one.names_something):
        part = OF_PART[route.path.split("/")[3]]
        id = theirs[part]
        # Whoever may read the directory of people reads all of it, so a colleague is no stranger there.
        asking = [user, system] if part == "person" else [user, system, house.as_(elsewhere.subject)]
        for client in asking:
            answer, nobodys = await all_of(
                ask(client, route, route.at(one)) for one in (id, f"{id[:4]}{NOBODY}")
            )
            place = f"{route.method} {route.path} at {id}"
            refused(answer, {403, 404, 422}, place)
            assert without_ids(answer) == without_ids(nobodys), place
    assert await stored(house) == before


async def own_things(house: House) -> dict[str, str]:
    partner = await steps.register_partner(house)
    user = await steps.join_for(house, partner)
    system = await steps.register_system(house, ("partner", partner.id))
    body = {"url": "http://127.0.0.1:9/nobody-listens", "types": ["consent.*"]}
    endpoint = await posted(house.with_key(system.key), "/notifications/v1/endpoints", body)
    agreement = await steps.send(house, await steps.draft(house, partner))
    inbox = await house.see(user.subject, "/notifications/v1/inbox", lambda page: page["items"])
    return {
        "user": user.subject,
        "person": user.id,
        "key": system.key,
        "system": system.id,
        "partner": partner.id,
        "agreement": agreement["id"],
        "endpoint": endpoint.json()["endpoint_id"],
        "item": inbox["items"][0]["id"],
    }


def bad_credentials(house: House) -> dict[str, list[tuple[str, str]]]:
    """Header by header; each says somebody whom nobody has signed in."""
    day_s, now = 86_400, int(SystemClock().real().timestamp())
    stranger = KeyChain(algorithm="RS256", grace=timedelta(0), clock_real=SystemClock().real)
    good = house.token(OFFICER)
    claims = {"iss": house.provider.issuer, "aud": house.provider.audience, "sub": "demo-officer"}
    tokens = {
        "an empty token": "",
        "no token": "a.b.c",
        "a token cut short": good[:-10],
        "an expired token": house.token(OFFICER, iat=now - day_s, exp=now - 60),
        "a token of tomorrow": house.token(OFFICER, iat=now + day_s, exp=now + 2 * day_s),
        "a token for others": house.token(OFFICER, aud="another-api"),
        "a token of another issuer": house.token(OFFICER, iss="https://sign-in.example.org"),
        "a token without a subject": house.token(OFFICER, sub=None),
        "a stranger's token": stranger.sign({**claims, "exp": now + day_s}, typ="at+jwt"),
        "an identity token": house.provider.keys.sign({**claims, "exp": now + day_s}, typ="id+jwt"),
        "a token of 9 KB": good + "a" * 9_000,
    }
    return {
        "nobody": [],
        "an unknown scheme": [("Authorization", "Basic b2ZmaWNlcjpvZmZpY2Vy")],
        "an unknown key": [("Authorization", f"ApiKey {new_api_key().text}")],
        "no key": [("Authorization", "ApiKey ck_")],
        "another house": [("Authorization", f"Internal {'k' * 40}")],
        "two tokens": [("Authorization", f"Bearer {good}")] * 2,
        **{what: [("Authorization", f"Bearer {token}".strip())] for what, token in tokens.items()},
    }


async def ask(client: httpx2.AsyncClient, route: Route, path: str) -> httpx2.Response:
    if route.method == "GET":
        return await client.get(path)
    return await posted(client, path, route.fitting)


async def post_bytes(house: House, route: Route, body: bytes) -> httpx2.Response:
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid7())}
    client = house.as_the_house() if route.may == "internal" else house.as_(route.who)
    return await client.post(route.at(NOBODY), content=body, headers=headers)


async def all_of(requests: Iterable[Awaitable[httpx2.Response]]) -> list[httpx2.Response]:
    """Some at once: a service is never asked by one alone."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(request: Awaitable[httpx2.Response]) -> httpx2.Response:
        async with free:
            return await request

    return await asyncio.gather(*(one(request) for request in requests))


def refused(answer: httpx2.Response, expected: set[int], place: str) -> None:
    assert answer.status_code in expected, (place, answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == "application/problem+json", place
    problem = answer.json()
    assert CODE.fullmatch(problem["code"]), (place, problem)
    assert problem["status"] == answer.status_code, place
    assert problem["type"] == f"/problems/{problem['code']}", place
    assert problem["instance"] == answer.headers["correlation-id"], place


def without_ids(answer: httpx2.Response) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    return {**problem, "instance": None, "id": None, "partner_id": None}


async def at_rest(house: House) -> dict[str, Any]:
    """What is stored, once nothing has moved for a moment: what others began has come to its end."""
    loop = asyncio.get_running_loop()
    seen, since = await stored(house), loop.time()

    async def nothing_moves() -> bool:
        nonlocal seen, since
        if (now := await stored(house)) != seen:
            seen, since = now, loop.time()
        open_still = [one for one in now["notifications.deliveries"].values() if one["state"] == "pending"]
        return not open_still and loop.time() - since > REST_S

    await house.eventually(nothing_moves)
    return seen


async def stored(house: House) -> dict[str, Any]:
    found = {}
    for service, mongo in house.databases.items():
        for collection in await mongo.database.list_collection_names():
            if collection not in RESTLESS:
                documents = await mongo[collection].find().to_list(length=None)
                found[f"{service}.{collection}"] = {str(one["_id"]): one for one in documents}
    return found
