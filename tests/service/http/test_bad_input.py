"""Whatever is sent, the answer is a problem with a code, and nothing is stored."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from shared.ids import new_id
from tests.service.http.small_service import SmallService, problem

pytestmark = pytest.mark.asyncio
OFFICER = "officer"


@pytest_asyncio.fixture(loop_scope="session")
async def unchanged(service: SmallService) -> AsyncIterator[SmallService]:
    """The service, of which the test must leave nothing changed."""
    before = await service.stored()
    yield service
    assert await service.stored() == before


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "json_malformed"),
        (b"name=Amani", "json_malformed"),
        (b'{"name": "\xff"}', "json_malformed"),
        (b'{"name": "a\x00b"}', "json_malformed"),
        (b'{"name": "Amani", "name": "Bahati"}', "json_duplicate_key"),
        (b'{"name": "Amani", "seats": NaN}', "json_not_finite"),
        (b'{"name": "a\\u0000b"}', "json_nul"),
        (b'{"name": "a\\ud800b"}', "json_lone_surrogate"),
        (b'{"name": ' + b"[" * 33 + b"]" * 33 + b"}", "json_too_deep"),
        (b"[" * 500_000, "json_too_deep"),
        (b'{"name": "Amani", "seats": 99999999999999999999}', "json_number_too_large"),
    ],
)
async def test_what_is_not_plain_json_is_refused(unchanged: SmallService, body: bytes, code: str) -> None:
    problem(await unchanged.post(OFFICER, "/members", body), 400, code)


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"name": None}, "name", "wrong_type"),
        ({"name": 7}, "name", "wrong_type"),
        ({"name": ["Amani"]}, "name", "wrong_type"),
        ({"name": "  "}, "name", "too_short"),
        ({"name": "n" * 101}, "name", "too_long"),
        ({"name": "Ama\u0007ni"}, "name", "character_not_allowed"),
        ({"name": "Ama\nni"}, "name", "character_not_allowed"),
        ({"name": "\u202einamA"}, "name", "character_not_allowed"),
        ({"remark": "a\u0007b"}, "remark", "character_not_allowed"),
        ({"seats": "3"}, "seats", "wrong_type"),
        ({"seats": True}, "seats", "wrong_type"),
        ({"seats": 1.5}, "seats", "wrong_type"),
        ({"seats": 0}, "seats", "too_small"),
        ({"seats": 10}, "seats", "too_large"),
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"<script>": "red"}, "…", "unknown_field"),
        ({"$set": {"name": 1}}, "…", "unknown_field"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(
    unchanged: SmallService, changed: dict[str, Any], field: str, code: str
) -> None:
    answer = await unchanged.post(OFFICER, "/members", {"name": "Amani", **changed})
    said = problem(answer, 422, "request_invalid")
    assert [(error["field"], error["code"]) for error in said["errors"]] == [(field, code)]


async def test_no_problem_repeats_what_was_sent(unchanged: SmallService) -> None:
    secret = "hunter2"  # A password that was put into the wrong field.
    bodies: list[Any] = [
        {"name": [secret]},
        {"name": secret * 50},
        {"name": f"{secret}\u0007"},
        {"name": "a", "seats": secret},
        {"name": "a", f"{secret}!": secret},
        secret,
        [secret],
        f'{{"{secret}": '.encode(),
    ]
    for body in bodies:
        answer = await unchanged.post(OFFICER, "/members", body)
        assert answer.status_code in (400, 422)
        assert secret not in answer.text


@pytest.mark.parametrize("body", [b"7", b'"x"', b"[]", b"null", b"true"])
async def test_json_that_is_no_object_is_refused(unchanged: SmallService, body: bytes) -> None:
    problem(await unchanged.post(OFFICER, "/members", body), 422, "request_invalid")


async def test_a_body_that_is_missing_is_refused(unchanged: SmallService) -> None:
    said = problem(await unchanged.post(OFFICER, "/members"), 422, "request_invalid")
    assert said["errors"] == [{"field": "body", "code": "required", "message": "This is needed"}]


async def test_a_body_where_none_belongs_is_refused(unchanged: SmallService) -> None:
    path = f"/members/{new_id('ptn')}/turns"
    problem(await unchanged.post(OFFICER, path, {"role": "administrator"}), 422, "body_not_expected")


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "x"]
)
async def test_a_body_that_does_not_say_it_is_json_is_refused(unchanged: SmallService, kind: str) -> None:
    headers = unchanged.headers(OFFICER, Idempotency_Key="k", Content_Type=kind)
    answer = await unchanged.client.post("/members", content=b'{"name": "Amani"}', headers=headers)
    problem(answer, 415, "media_type_unsupported")


async def test_a_body_over_a_megabyte_is_refused_whatever_it_holds(unchanged: SmallService) -> None:
    body = json.dumps({"name": "n" * 1_048_576}).encode()
    said = problem(await unchanged.post(OFFICER, "/members", body), 413, "body_too_large")
    assert said["bytes_max"] == 1_048_576


async def test_a_body_that_grows_over_a_megabyte_is_refused_when_it_does(unchanged: SmallService) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b'{"name": "'
        for _ in range(1_000):
            yield b"n" * 10_000

    headers = unchanged.headers(OFFICER, Idempotency_Key="k", Content_Type="application/json")
    answer = await unchanged.client.post("/members", content=endless(), headers=headers)
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize(
    "id", ["x", "ptn_", "ptn_01JD0000000000000000000009", "%c3%a9", "p" * 4_000, "$ne", "%7b%7d"]
)
async def test_an_id_of_nothing_finds_nothing(unchanged: SmallService, id: str) -> None:
    problem(await unchanged.get(OFFICER, f"/members/{id}"), 404, "member_not_found")


@pytest.mark.parametrize("hidden", ["%00", "a%0Ab", "%7F", "%ed%a0%80", "%ff"])
async def test_an_address_that_hides_what_is_no_text_is_refused(unchanged: SmallService, hidden: str) -> None:
    for path in (f"/members/{hidden}", f"/members?cursor={hidden}", f"/members?{hidden}=1"):
        problem(await unchanged.get(OFFICER, path), 400, "address_malformed")


async def test_a_header_that_is_there_twice_is_refused(unchanged: SmallService) -> None:
    own = unchanged.headers(OFFICER, Content_Type="application/json")
    for twice in ("Idempotency-Key", "If-Match", "Authorization"):
        headers = [(name, value) for name, value in own.items()] + [("Idempotency-Key", "k")]
        headers += [(twice, own.get(twice, '"1"')), (twice, own.get(twice, '"1"'))]
        answer = await unchanged.client.post("/members", content=b'{"name": "Amani"}', headers=headers)
        assert problem(answer, 400, "header_repeated")["header"] == twice


@pytest.mark.parametrize("path", ["/nothing", "/members/", "/members/x/y", "/members/..%2f..", "/../members"])
async def test_an_address_of_nothing_says_so(unchanged: SmallService, path: str) -> None:
    problem(await unchanged.get(OFFICER, path), 404, "route_not_found")


async def test_a_method_that_an_address_does_not_take_is_refused_and_told_which_it_takes(
    unchanged: SmallService,
) -> None:
    answer = await unchanged.client.put("/members", headers=unchanged.headers(OFFICER))
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
