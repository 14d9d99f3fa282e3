"""Whose session it is, and when it is nobody's any more; and the form that was sent too late."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import Response

from shared.contracts.partners.person import PersonSignedOut, RoleWithdrawn
from shared.contracts.vocabulary import Role
from shared.web.sessions import LASTS, Sessions
from shared.web.site import SIGN_IN
from tests.service.http.small_service import INTERNAL_KEY, SmallService
from tests.service.web.conftest import NOBODY, OFFICER
from tests.service.web.member_pages import MEMBERS, NEW
from tests.support.browsing import Browser, Page, browser_of, session_cookie

pytestmark = pytest.mark.asyncio

SESSION = "__Host-concord-session"


def is_sent_to_sign_in(page: Page) -> bool:
    return page.status == 303 and page.answer.headers["location"].startswith(f"{SIGN_IN}?to=")


async def test_nobody_is_sent_to_the_sign_in_and_back_to_where_they_were(service: SmallService) -> None:
    page = await browser_of(service.app).get(f"{MEMBERS}?name=a%20b&sort=c", follow=False)
    assert (
        page.answer.headers["location"] == f"{SIGN_IN}?to=%2Fpartners%2Fmembers%3Fname%3Da%2520b%26sort%3Dc"
    )


async def test_a_page_for_everybody_asks_for_no_session(service: SmallService, officer: Browser) -> None:
    assert "Sign in" in (await browser_of(service.app).get(f"{MEMBERS}/open")).words
    assert "Nia Adéọlá" in (await officer.get(f"{MEMBERS}/open")).words


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: "",
        lambda value: "x",
        lambda value: value[:-1],
        lambda value: value[:-4] + ("AAAA" if value[-4:] != "AAAA" else "BBBB"),
        lambda value: "A" + value[1:] if value[0] != "A" else "B" + value[1:],
        lambda value: value + "é",
        lambda value: value * 3,
    ],
    ids=["none", "garbage", "cut", "end changed", "beginning changed", "no ASCII", "thrice"],
)
async def test_a_session_that_was_changed_is_nobodys(service: SmallService, spoil: object) -> None:
    assert callable(spoil)
    browser = browser_of(service.app, OFFICER)
    spoilt = spoil(browser.cookies[SESSION])
    browser.cookies[SESSION] = spoilt.encode().decode("latin-1")
    assert is_sent_to_sign_in(await browser.get(MEMBERS, follow=False))


async def test_a_session_of_another_house_is_nobodys_here(service: SmallService) -> None:
    foreign = Sessions("another key of another house, long enough", service.clock, secure=True)
    site = replace(service.app.state.site, sessions=foreign)
    browser = browser_of(service.app)
    browser.cookies = session_cookie(site, OFFICER, name="Somebody")
    assert is_sent_to_sign_in(await browser.get(MEMBERS, follow=False))


async def test_what_is_sealed_for_another_use_is_no_session(service: SmallService) -> None:
    browser = browser_of(service.app)
    browser.cookies = {SESSION: service.app.state.site.seal.close({"subject": OFFICER, "issuer": "i"})}
    assert is_sent_to_sign_in(await browser.get(MEMBERS, follow=False))


async def test_a_session_opens_with_the_key_of_the_house_in_every_service(service: SmallService) -> None:
    other_process = Sessions(INTERNAL_KEY, service.clock, secure=True)
    response = Response()
    other_process.begin(response, issuer="i", subject=OFFICER, name="Nia")
    browser = browser_of(service.app)
    browser.cookies[SESSION] = response.headers["set-cookie"].split(";")[0].partition("=")[2]
    assert (await browser.get(MEMBERS)).status == 200


async def test_a_session_lasts_twelve_hours_and_not_a_second_longer(service: SmallService) -> None:
    browser = browser_of(service.app, OFFICER)
    try:
        service.clock.ahead = LASTS - timedelta(seconds=30)
        service.freshness.touch()
        assert (await browser.get(MEMBERS)).status == 200
        service.clock.ahead = LASTS
        assert is_sent_to_sign_in(await browser.get(MEMBERS, follow=False))
        service.clock.ahead = timedelta(seconds=-30)  # A clock that was set back makes none older.
        assert is_sent_to_sign_in(await browser.get(MEMBERS, follow=False))
    finally:
        service.clock.ahead = timedelta(0)
        service.freshness.touch()


async def test_signing_out_everywhere_ends_what_began_before_it(service: SmallService) -> None:
    subject = f"leaver-{uuid4().hex[:8]}"
    person = await service.admit(subject, Role.PARTNERSHIP_OFFICER)
    before = browser_of(service.app, subject)
    assert (await before.get(MEMBERS)).status == 200
    event = PersonSignedOut(person_id=person, sessions_from=service.clock.real())
    await service.hear(person, event)
    assert is_sent_to_sign_in(await before.get(MEMBERS, follow=False))
    assert (await browser_of(service.app, subject).get(MEMBERS)).status == 200


async def test_who_has_lost_their_last_role_sees_a_page_that_says_so(service: SmallService) -> None:
    subject = f"leaver-{uuid4().hex[:8]}"
    person = await service.admit(subject, Role.PARTNERSHIP_OFFICER)
    browser = browser_of(service.app, subject)
    form = await browser.get(NEW)
    await service.hear(person, RoleWithdrawn(person_id=person, role=Role.PARTNERSHIP_OFFICER, scope=()))
    before = await service.stored()
    for page in (await browser.get(MEMBERS), await browser.submit(form, {"name": "a"}, to=MEMBERS)):
        assert (page.status, page.title) == (403, "You have no role here")
        assert "Sign out" in page.words
    assert await service.stored() == before


async def test_while_nobody_can_say_what_somebody_may_do_they_read_and_change_nothing(
    service: SmallService, officer: Browser
) -> None:
    form = await officer.get(NEW)
    service.freshness.as_of = None
    try:
        assert (await officer.get(MEMBERS)).status == 200
        page = await officer.submit(form, {"name": "a"}, to=MEMBERS)
        assert (page.status, page.title) == (503, "This is not possible for the moment")
    finally:
        service.freshness.touch()


# The form that came too late.


async def sent_too_late(service: SmallService, browser: Browser, name: str) -> str:
    """Sent after the session's end: the address under which it is kept."""
    form = await browser.get(NEW)
    before = await service.stored()
    service.clock.ahead = LASTS
    try:
        page = await browser.submit(form, {"name": name, "remark": "a remark"}, to=MEMBERS, follow=False)
    finally:
        service.clock.ahead = timedelta(0)
        service.freshness.touch()
    assert is_sent_to_sign_in(page)
    assert await service.stored() == before
    kept = page.answer.headers["location"].removeprefix(f"{SIGN_IN}?to=").replace("%2F", "/")
    assert kept.startswith("/partners/kept-forms/")
    return str(kept)


async def test_a_form_sent_after_the_session_ended_is_kept_and_can_be_sent_again(
    service: SmallService,
) -> None:
    name = f"Shelter Forum {uuid4().hex[:8]}"
    kept = await sent_too_late(service, browser_of(service.app, OFFICER), name)
    page = await browser_of(service.app, OFFICER).get(kept)
    assert (page.status, page.title) == (200, "Your form was kept")
    assert name in page.words
    page = await browser_of(service.app, OFFICER).submit(page, to=MEMBERS)
    assert (page.status, page.title) == (200, name)


async def test_a_kept_form_is_for_nobody_but_whose_it_was(service: SmallService) -> None:
    name = f"Shelter Forum {uuid4().hex[:8]}"
    kept = await sent_too_late(service, browser_of(service.app, OFFICER), name)
    other = await browser_of(service.app, NOBODY).get(kept)
    assert (other.status, other.title) == (404, "There is nothing here")
    assert name not in other.text
    assert is_sent_to_sign_in(await browser_of(service.app).get(kept, follow=False))
    assert (await browser_of(service.app, OFFICER).get(kept)).status == 200


async def test_a_form_of_another_window_is_kept_for_who_has_just_signed_out(service: SmallService) -> None:
    browser = browser_of(service.app, OFFICER)
    form = await browser.get(NEW)
    session, response = service.app.state.site.sessions, Response()
    session.end(response, session.of(_asking(browser)))
    browser.cookies[SESSION] = response.headers["set-cookie"].split(";")[0].partition("=")[2]
    assert is_sent_to_sign_in(await browser.get(MEMBERS, follow=False))
    page = await browser.submit(form, {"name": "Shelter"}, to=MEMBERS, follow=False)
    kept = page.answer.headers["location"].removeprefix(f"{SIGN_IN}?to=").replace("%2F", "/")
    assert (await browser_of(service.app, NOBODY).get(kept)).status == 404
    assert (await browser_of(service.app, OFFICER).get(kept)).title == "Your form was kept"


async def test_a_form_of_a_browser_that_forgot_everything_waits_under_an_address_nobody_guesses(
    service: SmallService,
) -> None:
    browser = browser_of(service.app, OFFICER)
    form = await browser.get(NEW)
    browser.cookies.clear()
    page = await browser.submit(form, {"name": "Shelter"}, to=MEMBERS, follow=False)
    kept = page.answer.headers["location"].removeprefix(f"{SIGN_IN}?to=").replace("%2F", "/")
    assert len(kept.rpartition("/")[2]) == 32
    assert (await browser_of(service.app, OFFICER).get(kept)).title == "Your form was kept"


async def test_what_is_kept_of_a_form_cannot_be_read_in_the_database(service: SmallService) -> None:
    name = f"Shelter Forum {uuid4().hex[:8]}"
    kept = await sent_too_late(service, browser_of(service.app, OFFICER), name)
    documents = [str(one) async for one in service.writing.mongo["kept_forms"].find({})]
    assert documents
    assert not any(name in one or kept.rpartition("/")[2] in one for one in documents)


async def test_a_form_of_another_site_is_not_kept(service: SmallService) -> None:
    browser, before = browser_of(service.app), await service.writing.mongo["kept_forms"].count_documents({})
    page = await browser.post(MEMBERS, {"name": "a"}, Sec_Fetch_Site="cross-site")
    assert page.status == 403
    assert await service.writing.mongo["kept_forms"].count_documents({}) == before


# A part of a page.


async def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(service: SmallService) -> None:
    address = "http://127.0.0.1:8080/partners/members?sort=name"
    headers = {"HX-Request": "true", "HX-Current-URL": address}
    page = await browser_of(service.app).get(f"{MEMBERS}/part", follow=False, headers=headers)
    assert page.status == 401
    assert page.answer.headers["hx-redirect"] == f"{SIGN_IN}?to=%2Fpartners%2Fmembers%3Fsort%3Dname"


async def test_a_part_that_is_refused_says_so_in_its_own_place(service: SmallService) -> None:
    page = await browser_of(service.app, NOBODY).fragment(f"{MEMBERS}/part")
    assert page.status == 403
    assert page.words == "You may not do this"
    assert "<html" not in page.text


def _asking(browser: Browser) -> Request:
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
