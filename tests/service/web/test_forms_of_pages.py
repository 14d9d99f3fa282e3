"""A form on its way: sent once, twice, from elsewhere, by a robot, too late, over somebody else's change."""

import asyncio
from uuid import uuid4

import pytest

from tests.service.http.small_service import Gate, SmallService, gates
from tests.service.web.conftest import NOBODY
from tests.service.web.member_pages import MEMBERS, NEW
from tests.support.browsing import Browser, browser_of

pytestmark = pytest.mark.asyncio

SCRIPTS = "Ñandú 住房和城市发展 жилищное объединение اتحاد سكان البحيرة የከተማ ቤቶች ማኅበር आवास संघ "


def a_name() -> str:
    return f"Shelter Forum {uuid4().hex[:8]}"


async def registered(officer: Browser) -> str:
    """The address of a new member's page."""
    return (await officer.post(MEMBERS, {"name": a_name()})).path


async def test_a_form_leads_to_the_page_that_shows_what_came_of_it(officer: Browser) -> None:
    name = a_name()
    page = await officer.submit(await officer.get(NEW), {"name": name, "ends_on.day": ""}, to=MEMBERS)
    assert (page.status, page.title) == (200, name)
    assert "The member is registered." in page.words
    assert page.way[0].status_code == 303


async def test_a_form_that_is_refused_shows_all_that_was_written_and_what_was_wrong(officer: Browser) -> None:
    long = (SCRIPTS * 6)[:300]
    wrong = {
        "name": long,
        "seats": "many",
        "remark": "two\nlines",
        "ends_on.day": "31",
        "ends_on.month": "2",
        "ends_on.year": "2031",
    }
    page = await officer.submit(await officer.get(NEW), wrong, to=MEMBERS)
    assert (page.status, page.title) == (422, "Register a member")
    assert page.wrong["name"] == "At most 100 characters"
    assert page.wrong["ends_on"] == "There is no such day"
    assert set(page.wrong) == {"name", "seats", "remark", "ends_on"}
    shown = page.form(MEMBERS).fields
    assert {name: shown[name] for name in wrong} == wrong
    assert "There are 4 problems" in page.words
    assert page.text.count('aria-invalid="true"') == 6  # A day is three fields.


async def test_a_name_in_any_script_is_taken_as_it_is_written(officer: Browser) -> None:
    name = f"{SCRIPTS[:80].strip()} {uuid4().hex[:8]}"
    page = await officer.submit(await officer.get(NEW), {"name": name}, to=MEMBERS)
    assert (page.status, page.title) == (200, name)


@pytest.mark.parametrize("override", ["\u202e", "\u2066", "\u202d"])
async def test_text_that_turns_the_reading_direction_around_is_refused_by_name(
    officer: Browser, override: str
) -> None:
    page = await officer.submit(await officer.get(NEW), {"name": f"Good{override}gpj.exe"}, to=MEMBERS)
    assert page.status == 422
    assert "name" in page.wrong
    assert f"Good{override}gpj.exe" not in page.wrong["name"]


async def test_what_a_rule_refuses_is_said_at_the_field_it_is_about(officer: Browser) -> None:
    page = await officer.submit(await officer.get(NEW), {"name": "a", "remark": "full"}, to=MEMBERS)
    assert (page.status, page.wrong) == (
        409 if False else 422,
        {"name": "There is no room for another member"},
    )


async def test_a_form_that_was_refused_can_be_mended_and_sent(officer: Browser) -> None:
    page = await officer.submit(await officer.get(NEW), {"name": ""}, to=MEMBERS)
    assert page.wrong == {"name": "This is needed"}
    name = a_name()
    assert (await officer.submit(page, {"name": name}, to=MEMBERS)).title == name


async def test_a_form_sent_twice_is_done_once_and_answered_alike(
    service: SmallService, officer: Browser
) -> None:
    form, before = await officer.get(NEW), await service.stored()
    name = a_name()
    first = await officer.submit(form, {"name": name}, to=MEMBERS)
    second = await officer.submit(form, {"name": name}, to=MEMBERS)
    assert first.path == second.path
    assert (await service.stored())["members"] == before["members"] + 1


async def test_a_form_sent_twice_at_once_is_done_once_and_both_are_answered(
    service: SmallService, officer: Browser
) -> None:
    form, before = await officer.get(NEW), await service.stored()
    gate = gates["twice"] = Gate()
    filled = {"name": a_name(), "remark": "gate:twice"}
    first = asyncio.create_task(officer.submit(form, filled, to=MEMBERS))
    await gate.until_reached()
    second = asyncio.create_task(officer.submit(form, filled, to=MEMBERS))
    await asyncio.sleep(0)
    gate.open.set()
    answers = await asyncio.gather(first, second)
    assert answers[0].path == answers[1].path
    assert [page.status for page in answers] == [200, 200]
    assert (await service.stored())["members"] == before["members"] + 1


async def test_one_form_with_two_contents_is_not_taken_for_the_first(officer: Browser) -> None:
    form = await officer.get(NEW)
    await officer.submit(form, {"name": a_name()}, to=MEMBERS)
    page = await officer.submit(form, {"name": a_name()}, to=MEMBERS)
    assert page.status == 422
    assert "This key was used for another request" in page.words


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8080"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example.org"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "http://127.0.0.1:8081"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "", "Origin": ""}, 403),
        ({"Sec-Fetch-Site": ""}, 200),
        ({"Origin": ""}, 200),
    ],
    ids=str,
)
async def test_a_form_is_taken_from_our_own_pages_only(
    service: SmallService, officer: Browser, headers: dict[str, str], status: int
) -> None:
    before = await service.stored()
    page = await officer.post(MEMBERS, {"name": a_name()}, headers=headers)
    assert page.status == status
    if status == 403:
        assert "This form came from another site, so nothing was done" in page.words
        assert await service.stored() == before


async def test_a_form_without_its_key_changes_nothing(service: SmallService, officer: Browser) -> None:
    form, before = await officer.get(NEW), await service.stored()
    page = await officer.submit(form, {"name": a_name(), "_key": None}, to=MEMBERS)
    assert (page.status, page.title) == (400, "This cannot be read")
    page = await officer.submit(form, {"name": a_name(), "_key": "a key with spaces"}, to=MEMBERS)
    assert page.status == 400
    assert await service.stored() == before


async def test_two_windows_and_an_old_version_show_both_values_and_lose_nothing(officer: Browser) -> None:
    path = await registered(officer)
    one, other = await officer.get(path), await officer.get(path)
    assert (await officer.submit(one, {"count": "0"}, to=f"{path}/turns")).status == 200
    page = await officer.submit(other, {"count": "what I wrote"}, to=f"{path}/turns")
    assert page.status == 422
    assert "Somebody else changed this since you opened it." in page.words
    assert "Stored now: 1" in page.words
    assert page.form(f"{path}/turns").fields["count"] == "what I wrote"
    assert (await officer.submit(page, to=f"{path}/turns")).status == 200  # It carries the new version.


async def test_what_somebody_may_not_do_is_a_page_that_says_so(service: SmallService) -> None:
    delegate = browser_of(service.app, NOBODY)
    for page in (await delegate.get(NEW), await delegate.post(MEMBERS, {"name": a_name()})):
        assert (page.status, page.title) == (403, "This is not yours to do")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"name=%ff", "application/x-www-form-urlencoded", 400),
        ("name=é".encode(), "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % i for i in range(201)), "application/x-www-form-urlencoded", 400),
        (b"name", "application/x-www-form-urlencoded", 400),
        (b"name.a=1&name=2&name.b=3&_key=k", "application/x-www-form-urlencoded", 400),
        (b'{"name": "x"}', "application/json", 415),
        (b"name=x", "multipart/form-data", 415),
        (b"name=" + b"x" * 1_048_577, "application/x-www-form-urlencoded", 413),
    ],
    ids=["no UTF-8", "no ASCII", "too many", "no pair", "two places", "JSON", "multipart", "too large"],
)
async def test_what_no_browser_sends_is_refused_on_a_page(
    service: SmallService, officer: Browser, body: bytes, kind: str, status: int
) -> None:
    before = await service.stored()
    cookie = "; ".join(f"{name}={value}" for name, value in officer.cookies.items())
    headers = {"content-type": kind, "cookie": cookie, "origin": officer.origin}
    answer = await officer.client.post(MEMBERS, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert await service.stored() == before


async def test_a_fault_of_ours_is_a_page_without_anything_from_inside(officer: Browser) -> None:
    page = await officer.get(f"{MEMBERS}/broken")
    assert (page.status, page.title) == (500, "Something went wrong on our side")
    assert "hunter2" not in page.text
    assert page.answer.headers["correlation-id"] in page.words
