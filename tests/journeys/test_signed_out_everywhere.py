"""Somebody signs out everywhere: how long do the other services still show them their pages?"""

import asyncio
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from starlette.responses import Response

from shared.clock import SystemClock
from shared.web.pages import PageRoute
from shared.web.sessions import Session
from shared.web.site import SIGN_IN
from tests.journeys import steps
from tests.support.browsing import Browser, browser_at
from tests.support.house import House

pytestmark = pytest.mark.asyncio
ENDS_WITHIN_S = 1.0
ROLE = "partnership_officer"
# A page of each service that whoever has a role may open.
PAGES = ("/partners/me", "/agreements/kept-forms/none", "/notifications/kept-forms/none")


async def is_let_in(browser: Browser, path: str) -> bool:
    page = await browser.get(path, follow=False)
    return not page.answer.headers.get("location", "").startswith(SIGN_IN)


async def test_signing_out_everywhere_ends_every_session_in_every_service_within_a_second(
    house: House,
) -> None:
    officer = await steps.admit(house, ROLE)
    here, elsewhere = browser_at(house, officer.subject), browser_at(house, officer.subject)
    for path in PAGES:
        await house.eventually(partial(is_let_in, elsewhere, path))
    page = await here.submit(await here.get("/partners/me"), to="/partners/me/sign-outs")
    assert page.path == "/partners/signed-out"
    ended_at = asyncio.get_running_loop().time()

    async def is_over_everywhere() -> bool:
        return not any([await is_let_in(elsewhere, path) for path in PAGES])

    await house.eventually(is_over_everywhere)
    took_s = asyncio.get_running_loop().time() - ended_at
    assert took_s < ENDS_WITHIN_S, f"{took_s:.2f} s"
    again = browser_at(house, officer.subject)
    for path in PAGES:
        assert await is_let_in(again, path)


async def test_one_session_opens_the_pages_of_all_services(house: House) -> None:
    browser = browser_at(house, "officer")
    for service in house.served:
        page = await browser.get(f"/{service}/nothing/here")
        assert (page.status, page.title) == (404, "There is nothing here")
        assert "Nia Adéọlá" in page.words


@pytest.mark.parametrize("service", ["partners", "agreements", "notifications"])
async def test_a_form_of_any_service_that_came_too_late_waits_for_who_sent_it(
    house: House, service: str
) -> None:
    served = house.served[service].app
    assert isinstance(served, FastAPI)
    address = next(
        route.path
        for route in served.routes
        if isinstance(route, PageRoute) and route.methods == {"POST"} and "{" not in route.path
        if isinstance(route.may, str)
    )
    browser, response = browser_at(house, "officer"), Response()
    (name,) = browser.cookies
    now = SystemClock().real()
    session = Session(issuer="i", subject="demo-officer", name="", started_at=now, ends_at=now)
    served.state.site.sessions.end(response, session)
    browser.cookies[name] = response.headers["set-cookie"].split(";")[0].partition("=")[2]
    page = await browser.post(address, {"reason": "what I wrote"}, follow=False)
    kept = parse_qs(urlsplit(page.answer.headers["location"]).query)["to"][0]
    assert kept.startswith(f"/{service}/kept-forms/")
    page = await browser_at(house, "officer").get(kept)
    assert (page.status, page.title) == (200, "Your form was kept")
    assert page.form(address).fields["reason"] == "what I wrote"
    assert (await browser_at(house, "auditor").get(kept)).status == 404
