"""The whole way through a provider that is not ours: its form, its tokens, its keys, how it signs out."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr

from services.partners.people.pages.sign_in import RETURN
from shared.contracts.vocabulary import Role
from shared.web.site import SIGN_IN, SIGN_OUT
from tests.keycloak.server import REALM, running_keycloak
from tests.service.partners.desk import Desk, open_desk
from tests.support.browsing import Browser, Page, browser_of

pytestmark = pytest.mark.asyncio

ORIGIN = "http://127.0.0.1:8080"
SECRET, PASSWORD = "a client's secret: of 100% test", "a long enough password"
SUBJECT = "5f0c1f52-6f3e-4f3c-9d8e-2b6d1a7c9e01"
ME, SESSION = "/partners/me", "__Host-concord-session"
SIGNED_OUT = "/partners/signed-out"
REALM_SETTINGS: dict[str, object] = {
    "realm": REALM,
    "enabled": True,
    "sslRequired": "none",
    "clients": [
        {
            "clientId": "concord-web",
            "secret": SECRET,
            "publicClient": False,
            "standardFlowEnabled": True,
            "redirectUris": [ORIGIN + RETURN],
            "attributes": {"pkce.code.challenge.method": "S256"},
        }
    ],
    "users": [
        {
            "id": SUBJECT,
            "username": "nia",
            "enabled": True,
            "emailVerified": True,
            "email": "nia@example.org",
            "firstName": "Nia",
            "lastName": "Adéọlá",
            "credentials": [{"type": "password", "value": PASSWORD, "temporary": False}],
        }
    ],
}


@dataclass
class Door:
    desk: Desk
    issuer: str
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    def browsers(self) -> tuple[Browser, Browser]:
        """One person's browser, as Concord and as Keycloak see it."""
        parts = urlsplit(self.issuer)
        origin = f"{parts.scheme}://{parts.netloc}"
        client = httpx2.AsyncClient(base_url=origin, timeout=30, trust_env=False)
        self.clients.append(client)
        return browser_of(self.desk.app, base_url=ORIGIN), Browser(client, origin, {})

    async def at_login(self, ours: Browser, theirs: Browser) -> Page:
        started = await ours.get(SIGN_IN, follow=False, to=ME)
        page = await theirs.get(started.answer.headers["location"])
        assert page.status == 200, page.text
        return page

    async def code_of(self, theirs: Browser, page: Page) -> str:
        """Where Keycloak sends the browser back to."""
        form = page.forms[0]
        sent = {**form.fields, "username": "nia", "password": PASSWORD}
        answer = await theirs.post(form.action, sent, follow=False)
        assert answer.status == 302, answer.words
        return str(answer.answer.headers["location"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(mongo_url: str) -> AsyncIterator[Door]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="concord-keycloak-")))
        running = running_keycloak(REALM_SETTINGS, folder)
        issuer = await asyncio.to_thread(stack.enter_context, running)
        changes = {
            "demo": False,
            "public_url": ORIGIN,
            "oidc_issuer": issuer,
            "oidc_client_secret": SecretStr(SECRET),
        }
        async with open_desk(mongo_url, **changes) as desk:
            await desk.admit(SUBJECT, Role.PARTNERSHIP_OFFICER)
            opened = Door(desk, issuer)
            yield opened
            for client in opened.clients:
                await client.aclose()


async def test_somebody_signs_in_with_their_password_and_sees_the_page_they_wanted(door: Door) -> None:
    ours, theirs = door.browsers()
    back = await door.code_of(theirs, await door.at_login(ours, theirs))
    page = await ours.get(back)
    assert (page.status, page.path) == (200, ME)
    assert "Nia Adéọlá" in page.words
    assert SESSION in ours.cookies
    again = await ours.get(back, follow=False)  # The code is spent; they are signed in anyway.
    assert again.answer.headers["location"] == "/"


async def test_a_wrong_password_comes_back_to_nobody(door: Door) -> None:
    ours, theirs = door.browsers()
    page = await door.at_login(ours, theirs)
    form = page.forms[0]
    sent = {**form.fields, "username": "nia", "password": "another"}
    answer = await theirs.post(form.action, sent, follow=False)
    assert answer.status == 200
    assert SESSION not in ours.cookies


async def test_a_code_of_another_browser_signs_nobody_in(door: Door) -> None:
    ours, theirs = door.browsers()
    back = await door.code_of(theirs, await door.at_login(ours, theirs))
    stolen = dict(parse_qsl(urlsplit(back).query))
    other, _ = door.browsers()
    started = await other.get(SIGN_IN, follow=False, to=ME)
    own = dict(parse_qsl(urlsplit(started.answer.headers["location"]).query))
    page = await other.get(RETURN, code=stolen["code"], state=own["state"], iss=stolen["iss"])
    assert (page.status, page.title) == (401, "You are not signed in")
    assert SESSION not in other.cookies


async def test_what_keycloak_refuses_is_a_page_in_plain_words(door: Door) -> None:
    ours, theirs = door.browsers()
    started = await ours.get(SIGN_IN, follow=False, to=ME)
    without_challenge = started.answer.headers["location"].replace("S256", "plain")
    answer = await theirs.get(without_challenge, follow=False)
    page = await ours.get(answer.answer.headers["location"])
    assert (page.status, page.title) == (401, "You are not signed in")
    assert page.links["Sign in again"].startswith(SIGN_IN)


async def test_who_signs_out_is_told_where_to_sign_out_as_well(door: Door) -> None:
    ours, theirs = door.browsers()
    page = await ours.get(await door.code_of(theirs, await door.at_login(ours, theirs)))
    page = await ours.submit(page, to=SIGN_OUT)
    assert page.path == SIGNED_OUT
    there = await theirs.get(page.links["Sign out there as well"])
    assert there.status == 200
    assert (await ours.get(ME, follow=False)).answer.headers["location"].startswith(SIGN_IN)
