"""A request that is sent twice has one effect, and everybody gets the same answer."""

import asyncio
from collections.abc import AsyncIterator

import bson
import httpx2
import pytest
import pytest_asyncio

from shared.contracts.vocabulary import Role
from shared.http.idempotency import KEPT_S
from shared.ids import new_id, uuid7
from tests.service.http.small_service import Gate, SmallService, gates, open_twin, problem

pytestmark = pytest.mark.asyncio
OFFICER = "officer"


@pytest_asyncio.fixture(loop_scope="session")
async def twin(service: SmallService) -> AsyncIterator[SmallService]:
    async with open_twin(service) as opened:
        yield opened


async def patiently(service: SmallService, path: str, body: object, key: str) -> httpx2.Response:
    """As a good client does: while the first request is being worked on, ask again."""
    while True:
        answer = await service.post(OFFICER, path, body, key=key)
        if answer.status_code != 409 or answer.json()["code"] != "idempotency_key_in_flight":
            return answer
        assert answer.headers["retry-after"]
        await asyncio.sleep(0.02)


def same(answers: list[httpx2.Response]) -> httpx2.Response:
    """The one answer they all are, byte for byte; all but one of them said to be a repetition."""
    first = answers[0]
    for answer in answers:
        assert (answer.status_code, answer.content) == (first.status_code, first.content), answer.text
        assert answer.headers.get("etag") == first.headers.get("etag")
        assert answer.headers["content-type"] == first.headers["content-type"]
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    return first


async def members_named(service: SmallService, name: str) -> int:
    return int(await service.writing.mongo["members"].count_documents({"name": name}))


async def test_a_request_repeated_gets_the_answer_of_the_first(service: SmallService) -> None:
    name, key = new_id("m"), str(uuid7())
    first = await service.post(OFFICER, "/members", {"name": name}, key=key)
    again = await service.post(OFFICER, "/members", {"name": name}, key=key)
    assert same([first, again]).status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["correlation-id"] != first.headers["correlation-id"]
    assert await members_named(service, name) == 1


async def test_fifty_at_once_with_one_key_have_one_effect(service: SmallService) -> None:
    name, key = new_id("m"), str(uuid7())
    answers = await asyncio.gather(*(patiently(service, "/members", {"name": name}, key) for _ in range(50)))
    assert same(answers).status_code == 201
    assert await members_named(service, name) == 1


async def test_fifty_at_once_in_two_processes_have_one_effect(
    service: SmallService, twin: SmallService
) -> None:
    for _ in range(2):
        name, key = new_id("m"), str(uuid7())
        both = [service, twin] * 25
        answers = await asyncio.gather(*(patiently(one, "/members", {"name": name}, key) for one in both))
        assert same(answers).status_code == 201
        assert await members_named(service, name) == 1


async def test_a_key_that_is_being_worked_on_is_not_worked_on_twice(service: SmallService) -> None:
    name, key = new_id("m"), str(uuid7())
    gate = gates[name] = Gate()
    body = {"name": name, "remark": f"gate:{name}"}
    first = asyncio.create_task(service.post(OFFICER, "/members", body, key=key))
    await gate.until_reached()
    answer = await service.post(OFFICER, "/members", body, key=key)
    problem(answer, 409, "idempotency_key_in_flight")
    assert answer.headers["retry-after"] == "1"
    gate.open.set()
    answers = [await first, await service.post(OFFICER, "/members", body, key=key)]
    same(answers)


async def test_the_loser_of_two_processes_gets_the_winners_answer(
    service: SmallService, twin: SmallService
) -> None:
    """Both have looked and found nothing; the second to commit is refused by the name and by the key."""
    name, key = new_id("m"), str(uuid7())
    gate = gates[name] = Gate()
    body = {"name": name, "remark": f"gate:{name}"}
    loser = asyncio.create_task(twin.post(OFFICER, "/members", body, key=key))
    await gate.until_reached()
    gate.open.set()
    winner = await service.post(OFFICER, "/members", body, key=key)
    assert same([winner, await loser]).status_code == 201
    assert await members_named(service, name) == 1


async def test_the_loser_gets_the_winners_answer_where_the_rules_would_refuse_it_now(
    service: SmallService, twin: SmallService
) -> None:
    for _ in range(10):
        id = (await service.post(OFFICER, "/members", {"name": new_id("m")})).json()["id"]
        key = str(uuid7())
        path = f"/members/{id}/suspensions"
        answers = await asyncio.gather(*(one.post(OFFICER, path, key=key) for one in (service, twin)))
        assert same(list(answers)).json()["suspended"] is True


async def test_a_key_says_one_thing_only(service: SmallService) -> None:
    name, key = new_id("m"), str(uuid7())
    await service.post(OFFICER, "/members", {"name": name}, key=key)
    before = await service.stored()
    problem(await service.post(OFFICER, "/members", {"name": "x"}, key=key), 422, "idempotency_key_reused")
    problem(
        await service.post(OFFICER, "/members?x=1", {"name": name}, key=key), 422, "idempotency_key_reused"
    )
    assert await service.stored() == before


async def test_two_people_may_have_the_same_key(service: SmallService) -> None:
    await service.admit("other-officer", Role.PARTNERSHIP_OFFICER)
    first = await service.post(OFFICER, "/members", {"name": new_id("m")}, key="one")
    second = await service.post("other-officer", "/members", {"name": new_id("m")}, key="one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]


async def test_one_key_may_be_used_at_two_routes(service: SmallService) -> None:
    key = str(uuid7())
    made = await service.post(OFFICER, "/members", {"name": new_id("m")}, key=key)
    turned = await service.post(OFFICER, f"/members/{made.json()['id']}/turns", key=key)
    assert (made.status_code, turned.status_code) == (201, 200)


async def test_a_refusal_is_not_kept(service: SmallService) -> None:
    id = (await service.post(OFFICER, "/members", {"name": new_id("m")})).json()["id"]
    path, key = f"/members/{id}/suspensions", str(uuid7())
    await service.post(OFFICER, path)
    problem(await service.post(OFFICER, path, key=key), 409, "already_suspended")
    await service.post(OFFICER, f"/members/{id}/turns")
    answer = await service.post(OFFICER, path, key=key)
    assert (answer.status_code, answer.json()["suspended"]) == (200, True)
    assert "idempotency-replayed" not in answer.headers


async def test_a_post_without_a_key_is_refused(service: SmallService) -> None:
    before = await service.stored()
    headers = service.headers(OFFICER, Content_Type="application/json")
    answer = await service.client.post("/members", content=b'{"name": "Amani"}', headers=headers)
    problem(answer, 400, "idempotency_key_missing")
    assert await service.stored() == before


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"k" * 201, b"\xc3\xa9", b"a\tb"])
async def test_a_key_is_short_and_visible(service: SmallService, key: bytes) -> None:
    headers = [(name.encode(), value.encode()) for name, value in service.headers(OFFICER).items()]
    headers += [(b"idempotency-key", key), (b"content-type", b"application/json")]
    answer = await service.client.post("/members", content=b'{"name": "Amani"}', headers=headers)
    problem(answer, 400, "idempotency_key_malformed")


async def test_the_longest_key_is_a_key(service: SmallService) -> None:
    body = {"name": new_id("m")}
    assert (await service.post(OFFICER, "/members", body, key="~" * 200)).status_code == 201


async def test_who_cannot_send_a_key_needs_none_where_the_route_says_so(service: SmallService) -> None:
    assert (await service.client.post("/pings")).status_code == 200


async def test_what_is_kept_of_an_answer_cannot_be_read_without_its_key(service: SmallService) -> None:
    """Answers hold keys and invitations that are shown once; a copy of the database must not show them."""
    name, key = new_id("m"), str(uuid7())
    before = {kept["_id"] async for kept in service.writing.mongo["answers"].find({}, {"_id": 1})}
    made = await service.post(OFFICER, "/members", {"name": name}, key=key)
    [kept] = await service.writing.mongo["answers"].find({"_id": {"$nin": list(before)}}).to_list(length=2)
    plain = bson.encode(kept)
    for secret in (name, made.json()["id"], key, "application/json"):
        assert secret.encode() not in plain


async def test_a_key_of_one_person_opens_nothing_of_another_ones(service: SmallService) -> None:
    await service.admit("curious", Role.PARTNERSHIP_OFFICER)
    name, key = new_id("m"), str(uuid7())
    made = await service.post(OFFICER, "/members", {"name": name}, key=key)
    problem(await service.post("curious", "/members", {"name": name}, key=key), 409, "member_exists")
    assert made.status_code == 201


async def test_a_refusal_is_told_although_the_kept_answer_cannot_be_looked_for(
    service: SmallService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the caller is told then must not be that nothing was changed: nobody knows that."""
    id = (await service.post(OFFICER, "/members", {"name": new_id("m")})).json()["id"]
    await service.post(OFFICER, f"/members/{id}/suspensions")
    monkeypatch.setattr("shared.http.idempotency.LOOK_AGAIN_MS_MAX", -1)  # The database refuses to look.
    problem(await service.post(OFFICER, f"/members/{id}/suspensions"), 409, "already_suspended")


async def test_an_answer_is_kept_for_a_day(service: SmallService) -> None:
    await service.post(OFFICER, "/members", {"name": new_id("m")})
    indexes = await service.writing.mongo["answers"].index_information()
    assert indexes["kept_for_a_day"]["expireAfterSeconds"] == KEPT_S == 24 * 60 * 60
    kept = await service.writing.mongo["answers"].find_one({})
    assert kept["at"].tzinfo is not None
