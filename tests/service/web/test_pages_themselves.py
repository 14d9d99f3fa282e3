"""What every page has whoever asks: its headers, its language, its limits; and the pages where nothing is."""

import asyncio

import httpx2
import pytest

from shared.contracts.vocabulary import Role
from shared.web.language import COOKIE
from tests.service.http.small_service import Gate, SmallService, gates, open_small_service, problem
from tests.service.web.conftest import OFFICER
from tests.service.web.member_pages import MEMBERS, NEW, ROOMS
from tests.support.browsing import Browser, browser_of

pytestmark = pytest.mark.asyncio

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", [MEMBERS, NEW, f"{MEMBERS}/part", "/partners/nothing", f"{MEMBERS}/broken"])
async def test_every_page_is_fenced_in_and_kept_by_nobody(officer: Browser, path: str) -> None:
    headers = (await officer.get(path)).answer.headers
    assert headers["content-security-policy"] == POLICY
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "Cookie" in headers["vary"]


async def test_nothing_in_a_page_needs_what_its_policy_forbids(officer: Browser) -> None:
    text = (await officer.get(NEW)).text
    assert "style=" not in text
    assert "hx-on" not in text
    assert "<script>" not in text
    assert text.count("<h1") == 1
    assert 'lang="en" dir="ltr"' in text


async def test_a_question_for_the_headers_has_no_body(officer: Browser) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in officer.cookies.items())
    answer = await officer.client.head(MEMBERS, headers={"cookie": cookie})
    assert (answer.status_code, answer.content) == (200, b"")


# Languages.


@pytest.mark.parametrize(
    ("accepted", "shown"),
    [
        ("", "en"),
        ("ar", "ar"),
        ("ar-EG, en;q=0.5", "ar"),
        ("en;q=0.5, ar;q=0.9", "ar"),
        ("fr, de", "en"),
        ("de, ar;q=0.1", "ar"),
        ("ar;q=none, en", "en"),
        ("\x7f;;;q=,,", "en"),
        ("x" * 5_000, "en"),
    ],
)
async def test_a_stranger_reads_what_their_browser_asks_for(
    service: SmallService, accepted: str, shown: str
) -> None:
    page = await browser_of(service.app).get(f"{MEMBERS}/open", headers={"Accept-Language": accepted})
    direction = "rtl" if shown == "ar" else "ltr"
    assert f'<html lang="{shown}" dir="{direction}">' in page.text


async def test_who_is_known_reads_their_own_language_and_a_choice_comes_before_all(
    service: SmallService, officer: Browser
) -> None:
    page = await officer.get(MEMBERS, headers={"Accept-Language": "ar"})
    assert '<html lang="en"' in page.text
    chosen = browser_of(service.app, OFFICER)
    chosen.cookies[COOKIE] = "ar"
    assert '<html lang="ar" dir="rtl">' in (await chosen.get(MEMBERS)).text
    chosen.cookies[COOKIE] = "../../etc"
    assert '<html lang="en"' in (await chosen.get(MEMBERS)).text


# Where nothing is.


async def test_a_page_that_is_not_there_is_a_page_in_the_frame_of_who_asks(
    service: SmallService, officer: Browser
) -> None:
    page = await officer.get("/partners/nothing/at/all")
    assert (page.status, page.title) == (404, "There is nothing here")
    assert "Nia Adéọlá" in page.words
    stranger = await browser_of(service.app).get("/partners/nothing/at/all")
    assert (stranger.status, stranger.title) == (404, "There is nothing here")
    assert "Sign in" in stranger.words


async def test_a_method_that_a_page_does_not_take_is_a_page_and_names_those_it_does(officer: Browser) -> None:
    page = await officer.post(NEW)
    assert (page.status, page.title) == (405, "This page is not for that")
    assert page.answer.headers["allow"] == "GET, HEAD"


async def test_who_asks_for_the_api_is_told_in_a_document(service: SmallService) -> None:
    answer = await service.get(OFFICER, "/nothing", Accept="text/html")
    problem(answer, 404, "route_not_found")
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(service.app), base_url="http://concord"
    ) as client:
        answer = await client.get("/partners/nothing", headers={"Accept": "application/json"})
    problem(answer, 404, "route_not_found")


# Limits.


async def test_a_page_that_takes_too_long_says_so(mongo_url: str) -> None:
    async with open_small_service(mongo_url, rooms=ROOMS, http_request_s_max=0.2) as hurried:
        await hurried.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
        officer, gates["slow"] = browser_of(hurried.app, OFFICER), Gate()
        page = await officer.get(f"{MEMBERS}/slow/slow")
        assert (page.status, page.title) == (503, "This is not possible for the moment")
        gates["slow form"] = Gate()
        before = await hurried.stored()
        page = await officer.post(MEMBERS, {"name": "a", "remark": "gate:slow form"})
        assert page.status == 503
        assert await hurried.stored() == before


async def test_pages_are_asked_for_side_by_side(officer: Browser) -> None:
    pages = await asyncio.gather(*(officer.get(MEMBERS) for _ in range(20)))
    assert {page.status for page in pages} == {200}
