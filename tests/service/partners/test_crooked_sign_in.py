"""What a provider may say that signs nobody in: every fault of its ID token, of its answers and of what it
says of itself.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from joserfc.jwk import ECKey
from pydantic import SecretStr
from starlette.responses import JSONResponse, Response

from services.partners.people.pages.sign_in import RETURN, START
from shared.web.site import SIGN_IN
from tests.service.partners.desk import Desk, open_desk
from tests.support.browsing import Browser, Page, browser_of
from tests.support.crooked_provider import CLIENT_ID, CrookedProvider, crooked_provider

pytestmark = pytest.mark.asyncio

ORIGIN = "https://concord.example.org"
SESSION = "__Host-concord-session"
# Long enough that the whole run of the tests does not come level with it.
A_DAY_S = 86_400


@dataclass
class Door:
    desk: Desk
    provider: CrookedProvider

    def browser(self) -> Browser:
        return browser_of(self.desk.app, base_url=ORIGIN)

    async def begun(self) -> tuple[Browser, dict[str, str]]:
        browser = self.browser()
        started = await browser.get(START, follow=False, to="/partners/me")
        return browser, dict(parse_qsl(urlsplit(started.answer.headers["location"]).query))

    async def come_back(self, iss: str = "") -> tuple[Browser, Page]:
        browser, asked = await self.begun()
        self.provider.nonce = asked["nonce"]
        return browser, await browser.get(RETURN, code="a code", state=asked["state"], iss=iss)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standing_door(mongo_url: str) -> AsyncIterator[Door]:
    """A service as it is in production: no demonstration, a public address with TLS, a client's secret."""
    async with crooked_provider() as provider:
        changes = {
            "demo": False,
            "public_url": ORIGIN,
            "oidc_issuer": provider.issuer,
            "oidc_client_secret": SecretStr("s: %"),
        }
        async with open_desk(mongo_url, **changes) as desk:
            yield Door(desk, provider)


@pytest_asyncio.fixture(loop_scope="session")
async def door(standing_door: Door) -> Door:
    standing_door.provider.forget()
    return standing_door


async def test_in_production_the_sign_in_leads_straight_to_the_provider_and_back(door: Door) -> None:
    browser = door.browser()
    page = await browser.get(SIGN_IN, follow=False, to="/partners/me")
    address = page.answer.headers["location"]
    assert address.startswith(f"{door.provider.issuer}/authorize?")
    assert dict(parse_qsl(urlsplit(address).query))["redirect_uri"] == ORIGIN + RETURN
    browser, page = await door.come_back(iss=door.provider.issuer)
    assert (page.path, page.title) == ("/partners/me", "You are not admitted yet")
    assert "Some Body" in page.words
    sent = door.provider.redeemed[0]
    assert (sent["grant_type"], sent["code"], sent["redirect_uri"]) == (
        "authorization_code",
        "a code",
        ORIGIN + RETURN,
    )
    assert len(sent["code_verifier"]) == 43
    assert "client_secret" not in sent
    assert door.provider.authorization == "Basic Y29uY29yZC13ZWI6cyUzQSslMjU="  # Each part escaped.


def now_s() -> int:
    return int(datetime.now(UTC).timestamp())


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example.org"},
        {"aud": "concord"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"], "azp": "another-client"},
        {"azp": "another-client"},
        {"nonce": "another nonce"},
        {"nonce": ""},
        {"nonce": None},
        {"nonce": 7},
        {"exp": now_s() - 31},
        {"exp": None},
        {"nbf": now_s() + A_DAY_S},
        {"iat": now_s() + A_DAY_S},
        {"sub": ""},
        {"sub": None},
        {"sub": "a" * 256},
        {"sub": "line\nbreak"},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_the_answer_signs_nobody_in(door: Door, claims: dict[str, Any]) -> None:
    door.provider.claims = claims
    browser, page = await door.come_back()
    assert (page.status, page.title) == (401, "You are not signed in")
    assert SESSION not in browser.cookies


@pytest.mark.parametrize(
    "header", [{"kid": None}, {"kid": "k2"}, {"alg": "none"}, {"typ": "logout+jwt"}], ids=str
)
async def test_an_id_token_signed_in_another_way_signs_nobody_in(door: Door, header: dict[str, Any]) -> None:
    if header.get("alg") == "none":
        body = {"id_token": "eyJhbGciOiJub25lIn0." + door.provider.id_token().split(".")[1] + "."}
        door.provider.token_answer = JSONResponse(body)
    door.provider.header = header
    browser, page = await door.come_back()
    assert page.status == 401
    assert SESSION not in browser.cookies


async def test_an_id_token_signed_by_somebody_else_signs_nobody_in(door: Door) -> None:
    door.provider.signing_key = ECKey.generate_key("P-256")
    browser, page = await door.come_back()
    assert page.status == 401
    assert SESSION not in browser.cookies


async def test_an_answer_that_names_another_issuer_is_not_even_redeemed(door: Door) -> None:
    browser, page = await door.come_back(iss="https://elsewhere.example.org")
    assert page.status == 401
    assert door.provider.redeemed == []
    assert SESSION not in browser.cookies


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (JSONResponse({"error": "invalid_grant"}, 400), 401),
        (JSONResponse({"access_token": "a"}), 401),
        (JSONResponse({"id_token": 7}), 401),
        (Response(b"<html>"), 401),
        (Response(b"x" * 70_000), 503),
        (Response(status_code=302, headers={"location": "http://127.0.0.1:1/"}), 401),
        (Response(status_code=500), 503),
    ],
    ids=["refused", "no ID token", "no text", "no JSON", "endless", "elsewhere", "broken"],
)
async def test_an_answer_that_is_none_signs_nobody_in(door: Door, answer: Response, status: int) -> None:
    door.provider.token_answer = answer
    browser, page = await door.come_back()
    assert page.status == status
    assert SESSION not in browser.cookies


async def test_an_audience_of_several_is_good_when_it_was_made_for_us(door: Door) -> None:
    door.provider.claims = {"aud": [CLIENT_ID, "another-client"], "azp": CLIENT_ID, "name": ["no", "text"]}
    browser, page = await door.come_back()
    assert page.path == "/partners/me"
    assert SESSION in browser.cookies


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://elsewhere.example.org"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:"},
    ],
    ids=str,
)
async def test_a_provider_that_speaks_of_another_is_not_gone_to(mongo_url: str, said: dict[str, Any]) -> None:
    async with crooked_provider() as provider:
        provider.discovery = said
        async with open_desk(mongo_url, public_url=ORIGIN, oidc_issuer=provider.issuer) as desk:
            page = await browser_of(desk.app, base_url=ORIGIN).get(START, follow=False)
    assert (page.status, page.title) == (503, "This is not possible for the moment")


async def test_while_the_provider_is_away_the_page_says_so(mongo_url: str) -> None:
    async with open_desk(mongo_url, public_url=ORIGIN, oidc_issuer="http://127.0.0.1:9") as desk:
        browser = browser_of(desk.app, base_url=ORIGIN)
        page = await browser.get(SIGN_IN)
        assert page.status == 200  # Without the list of people there is one button.
        page = await browser.get(page.links["Sign in"])
    assert (page.status, page.title) == (503, "This is not possible for the moment")
    assert "The sign-in cannot be reached" in page.words
