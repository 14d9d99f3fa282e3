"""Signing in through the demonstration's provider, and out again: what a person sees, and what their browser
keeps.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.oidc.provider import Provider
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.personas import PERSONAS
from deploy.local.stack import SIGNED_IN_AT
from services.partners.people.pages.sign_in import COOKIE, RETURN, START
from shared.contracts.vocabulary import Role
from shared.web.site import SIGN_IN, SIGN_OUT
from tests.service.partners.desk import Desk, open_desk
from tests.support.browsing import Browser, Page, browser_of

pytestmark = pytest.mark.asyncio

ORIGIN = "http://127.0.0.1:8080"
SECRET = "a secret: of 100% demo"
ME = "/partners/me"


@dataclass
class Door:
    desk: Desk
    provider: Provider

    def browser(self) -> Browser:
        return browser_of(self.desk.app, base_url=ORIGIN)

    async def at_provider(self, address: str) -> str:
        """Where the provider sends the browser: it is another server, on a socket."""
        async with httpx2.AsyncClient(trust_env=False) as outside:
            answer = await outside.get(address)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def signed_in(self, persona: str = "officer", to: str = ME) -> tuple[Browser, Page]:
        browser = self.browser()
        started = await browser.get(START, follow=False, persona=persona, to=to)
        back = await self.at_provider(started.answer.headers["location"])
        return browser, await browser.get(back)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(mongo_url: str) -> AsyncIterator[Door]:
    back = f"http://127.0.0.1{SIGNED_IN_AT}"
    settings = OidcSettings(demo=True, oidc_redirect_uris=back, oidc_client_secret=SecretStr(SECRET))
    async with running_provider(settings) as provider:
        changes = {"oidc_issuer": provider.issuer, "oidc_client_secret": SecretStr(SECRET)}
        async with open_desk(mongo_url, **changes) as desk:
            await desk.admit("demo-officer", Role.PARTNERSHIP_OFFICER)
            yield Door(desk, provider)


async def test_a_page_wanted_is_shown_after_one_click_on_a_persona(door: Door) -> None:
    browser = door.browser()
    page = await browser.get("/partners/me?done=joined")
    assert (page.status, page.path) == (200, SIGN_IN)
    assert "This is a demonstration" in page.words
    offered = [address for address in page.links.values() if address.startswith(START)]
    assert [dict(parse_qsl(urlsplit(one).query))["persona"] for one in offered] == [
        persona.key for persona in PERSONAS
    ]
    started = await browser.get(offered[0], follow=False)
    back = await door.at_provider(started.answer.headers["location"])
    page = await browser.get(back)
    assert (page.status, str(page.answer.request.url)) == (200, f"{ORIGIN}/partners/me?done=joined")
    assert "Nia Adéọlá" in page.words


async def test_the_way_there_carries_a_challenge_a_state_and_a_nonce_and_no_secret(door: Door) -> None:
    started = await door.browser().get(START, follow=False, persona="officer", to=ME)
    address = urlsplit(started.answer.headers["location"])
    asked = dict(parse_qsl(address.query))
    assert f"{address.scheme}://{address.netloc}" == door.provider.issuer
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == ORIGIN + RETURN
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) == len(asked["nonce"]) == 43
    assert len({asked["code_challenge"], asked["state"], asked["nonce"]}) == 3
    again = await door.browser().get(START, follow=False, persona="officer", to=ME)
    assert dict(parse_qsl(urlsplit(again.answer.headers["location"]).query))["state"] != asked["state"]


async def test_cookies_are_for_this_origin_alone_and_for_no_script(door: Door) -> None:
    browser = door.browser()
    started = await browser.get(START, follow=False, persona="officer", to=ME)
    back = await door.at_provider(started.answer.headers["location"])
    page = await browser.get(back, follow=False)
    lines = [*started.answer.headers.get_list("set-cookie"), *page.answer.headers.get_list("set-cookie")]
    assert len(lines) == 3  # The way there, the session, and the way there taken away.
    for line in lines:
        said = [part.strip().lower() for part in line.split(";")]
        assert said[0].startswith("__host-concord-")
        assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(said)
        assert not any(part.startswith("domain") for part in said)
    assert set(browser.cookies) == {"__Host-concord-session"}
    assert "officer" not in browser.cookies["__Host-concord-session"]


@pytest.mark.parametrize("wanted", ["//elsewhere.example.org/", SIGN_IN, f"{RETURN}?code=1", SIGN_OUT])
async def test_after_the_sign_in_comes_my_work_where_nothing_else_can(door: Door, wanted: str) -> None:
    browser = door.browser()
    started = await browser.get(START, follow=False, persona="officer", to=wanted)
    page = await browser.get(await door.at_provider(started.answer.headers["location"]), follow=False)
    assert page.answer.headers["location"] == "/"


async def test_going_back_to_the_way_back_does_no_harm(door: Door) -> None:
    browser, page = await door.signed_in()
    again = await browser.get(str(page.way[0].request.url), follow=False)
    assert (again.status, again.answer.headers["location"]) == (303, "/")
    assert (await browser.get(ME)).title == "Nia Adéọlá"


async def test_a_way_back_that_another_browser_began_signs_nobody_in(door: Door) -> None:
    attacker, victim = door.browser(), door.browser()
    started = await attacker.get(START, follow=False, persona="officer", to=ME)
    back = await door.at_provider(started.answer.headers["location"])
    page = await victim.get(back)
    assert (page.status, page.title) == (401, "You are not signed in")
    assert "__Host-concord-session" not in victim.cookies
    await victim.get(START, follow=False, persona="officer", to=ME)  # Their own, begun meanwhile.
    assert (await victim.get(back)).status == 401
    assert "__Host-concord-session" not in victim.cookies


async def test_a_code_of_one_sign_in_is_worth_nothing_to_another(door: Door) -> None:
    one, other = door.browser(), door.browser()
    started = await one.get(START, follow=False, persona="officer", to=ME)
    stolen = dict(parse_qsl(urlsplit(await door.at_provider(started.answer.headers["location"])).query))
    started = await other.get(START, follow=False, persona="auditor", to=ME)
    own = dict(parse_qsl(urlsplit(started.answer.headers["location"]).query))
    page = await other.get(RETURN, code=stolen["code"], state=own["state"])
    assert page.status == 401
    assert "__Host-concord-session" not in other.cookies


async def test_a_sign_in_that_took_longer_than_ten_minutes_is_begun_anew(door: Door) -> None:
    browser = door.browser()
    seal = door.desk.app.state.site.seal
    await browser.get(START, follow=False, persona="officer", to=ME)
    name = f"__Host-{COOKIE}"
    plain = seal.open(browser.cookies[name])
    assert plain is not None
    now = door.desk.clock.real().isoformat()
    browser.cookies[name] = seal.close({**plain, "until": now})
    page = await browser.get(RETURN, code="c", state=plain["state"])
    assert (page.status, page.title) == (401, "You are not signed in")
    assert page.links["Sign in again"] == f"{SIGN_IN}?to=%2F"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("access_denied", "You did not sign in, or you are not let in there."),
        ("temporarily_unavailable", "Try again in a moment."),
        ("<script>alert(1)</script>", "The sign-in could not be finished."),
    ],
)
async def test_what_the_provider_refuses_is_a_page_in_plain_words(door: Door, error: str, words: str) -> None:
    browser = door.browser()
    started = await browser.get(START, follow=False, to=ME)
    state = dict(parse_qsl(urlsplit(started.answer.headers["location"]).query))["state"]
    page = await browser.get(RETURN, error=error, error_description="<b>boo", state=state)
    assert (page.status, page.title) == (401, "You are not signed in")
    assert words in page.words
    assert "<script>alert" not in page.text
    assert "boo" not in page.text
    assert page.links["Sign in again"] == f"{SIGN_IN}?to=%2Fpartners%2Fme"
    assert state not in page.text


async def test_who_came_by_another_name_of_this_machine_signs_in_at_the_one_it_goes_by(door: Door) -> None:
    other = browser_of(door.desk.app, base_url="http://localhost:8080")
    page = await other.get(SIGN_IN, follow=False, to=ME)
    assert page.answer.headers["location"] == f"{ORIGIN}{SIGN_IN}?to=%2Fpartners%2Fme"


async def test_somebody_nobody_admitted_is_told_so_and_what_to_do(door: Door) -> None:
    browser, page = await door.signed_in("auditor")
    assert page.title == "You are not admitted yet"
    page = await browser.get("/partners/people")
    assert (page.status, page.title) == (403, "You are not admitted yet")
    assert page.links["Enter a code"] == "/partners/join"


async def test_signing_out_ends_the_session_of_this_browser(door: Door) -> None:
    browser, page = await door.signed_in()
    page = await browser.submit(page, to=SIGN_OUT)
    assert (page.status, page.title) == (200, "You are signed out")
    assert "Nia Adéọlá" not in page.words
    assert (await browser.get(ME)).path == SIGN_IN


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example.org"},
        {"Sec-Fetch-Site": "", "Origin": "null"},
        {"Sec-Fetch-Site": "", "Origin": ""},
    ],
)
async def test_another_site_signs_nobody_out(door: Door, headers: dict[str, str]) -> None:
    browser, _ = await door.signed_in()
    page = await browser.post(SIGN_OUT, headers=headers)
    assert page.status == 403
    assert (await browser.get(ME)).path == ME


async def test_signing_out_everywhere_ends_every_session_and_a_new_one_begins(door: Door) -> None:
    here, page = await door.signed_in()
    elsewhere, _ = await door.signed_in()
    page = await here.submit(page, to="/partners/me/sign-outs")
    assert page.title == "You are signed out"
    assert (await elsewhere.get(ME)).path == SIGN_IN
    assert (await here.get(ME)).path == SIGN_IN
    again, page = await door.signed_in()
    assert page.path == ME
    assert (await again.get(ME)).path == ME
