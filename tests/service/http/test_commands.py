"""A command over HTTP: its answer, its version, and what happens when somebody else was first."""

import asyncio

import pytest

from shared.contracts.vocabulary import Role
from shared.ids import new_id
from shared.storage.event_log import read_stream
from tests.service.http.small_service import SmallService, open_small_service, problem, tries

pytestmark = pytest.mark.asyncio
OFFICER = "officer"


async def registered(service: SmallService) -> str:
    answer = await service.post(OFFICER, "/members", {"name": new_id("m")})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_what_was_saved_is_what_is_read(service: SmallService) -> None:
    made = await service.post(OFFICER, "/members", {"name": " Amani  ", "remark": "one\r\ntwo"})
    assert made.status_code == 201
    assert made.json()["name"] == "Amani"
    read = await service.get(OFFICER, f"/members/{made.json()['id']}")
    assert read.json() == made.json()
    assert made.headers["etag"] == read.headers["etag"] == '"1"'
    assert made.headers["cache-control"] == "no-store"
    assert made.headers["x-content-type-options"] == "nosniff"
    assert made.headers["correlation-id"] != read.headers["correlation-id"]


async def test_the_events_say_who_asked_and_under_which_correlation(service: SmallService) -> None:
    person = await service.admit("recorder", Role.PARTNERSHIP_OFFICER)
    made = await service.post("recorder", "/members", {"name": new_id("m")})
    (event,) = await read_stream(service.writing.mongo, made.json()["id"])
    assert f'"actor":"{person}"'.encode() in event.body
    assert f'"correlationid":"{made.headers["correlation-id"]}"'.encode() in event.body


async def test_a_command_on_what_was_read_passes(service: SmallService) -> None:
    id = await registered(service)
    turned = await service.post(OFFICER, f"/members/{id}/turns", If_Match='"1"')
    assert (turned.status_code, turned.headers["etag"]) == (200, '"2"')


async def test_a_command_on_what_has_changed_since_is_refused(service: SmallService) -> None:
    id = await registered(service)
    await service.post(OFFICER, f"/members/{id}/turns")
    said = problem(await service.post(OFFICER, f"/members/{id}/turns", If_Match='"1"'), 412, "version_passed")
    assert (said["expected"], said["current"]) == (1, 2)


async def test_any_version_is_a_version(service: SmallService) -> None:
    id = await registered(service)
    assert (await service.post(OFFICER, f"/members/{id}/turns", If_Match="*")).status_code == 200


@pytest.mark.parametrize(
    "tag", ["1", '"x"', 'W/"1"', '"1", "2"', '"-1"', '""', '"', '"1234567890123"', '"١"']
)
async def test_a_version_that_is_none_of_ours_is_refused(service: SmallService, tag: str) -> None:
    before = await service.stored()
    own = service.headers(OFFICER, Idempotency_Key="k", If_Match="")
    headers = [(name.encode(), value.encode()) for name, value in own.items() if value]
    headers.append((b"If-Match", tag.encode()))
    answer = await service.client.post(f"/members/{new_id('ptn')}/turns", headers=headers)
    problem(answer, 400, "if_match_malformed")
    assert await service.stored() == before


async def test_commands_that_meet_decide_one_after_the_other(service: SmallService) -> None:
    id = await registered(service)
    answers = await asyncio.gather(*(service.post(OFFICER, f"/members/{id}/turns") for _ in range(12)))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 14))
    assert len(tries[id]) > 12, "nothing met, so nothing was tried"


async def test_a_command_decided_again_is_the_same_command(service: SmallService) -> None:
    id = await registered(service)
    await asyncio.gather(*(service.post(OFFICER, f"/members/{id}/turns") for _ in range(6)))
    by_request: dict[str, set[tuple[object, object]]] = {}
    for unit in tries[id]:
        context = unit.context
        by_request.setdefault(context.correlation_id, set()).add((context.now, context.recorded_at))
    assert len(by_request) == 6
    assert all(len(instants) == 1 for instants in by_request.values())


async def test_a_version_that_passes_while_deciding_is_refused_too(service: SmallService) -> None:
    id = await registered(service)
    answers = await asyncio.gather(
        *(service.post(OFFICER, f"/members/{id}/turns", If_Match='"1"') for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412]


async def test_what_answers_with_nothing_says_nothing(service: SmallService) -> None:
    answer = await service.client.delete("/members/x/remarks", headers=service.headers(OFFICER))
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_list_is_read_page_by_page_and_holds_everything_once(mongo_url: str) -> None:
    async with open_small_service(mongo_url) as service:
        await service.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
        names = [f"name {number:02}" for number in range(7)]
        for name in reversed(names):
            await service.post(OFFICER, "/members", {"name": name})
        read, cursor = [], ""
        while True:
            page = (await service.get(OFFICER, f"/members?limit=3{cursor}")).json()
            read += [item["name"] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert read == names


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", ""])
async def test_a_page_has_limits(service: SmallService, limit: str) -> None:
    said = problem(await service.get(OFFICER, f"/members?limit={limit}"), 422, "request_invalid")
    assert [error["field"] for error in said["errors"]] == ["limit"]


@pytest.mark.parametrize("cursor", ["x", "bm8", "W3siJGd0IjogIiJ9XQ", "x" * 2_000, "", "%c3%a9"])
async def test_a_cursor_that_is_none_of_ours_is_refused(service: SmallService, cursor: str) -> None:
    problem(await service.get(OFFICER, f"/members?cursor={cursor}"), 400, "cursor_malformed")
