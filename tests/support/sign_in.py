"""An application and a browser at the demonstration's sign-in, over HTTP on loopback."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import httpx2
from pydantic import SecretStr

from deploy.local.oidc.clients import Client
from deploy.local.oidc.provider import Provider
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from tests.support.issuer import HandClock

RETURN = "http://127.0.0.1:8080/signed-in?from=concord"
OTHER_RETURN = "http://127.0.0.1:8080/other"
ANY_PORT = "http://127.0.0.1/any-port"
SIGNED_OUT = "http://127.0.0.1:8080/signed-out"
SECRET = "a secret: of 100% demo"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PUBLIC = Client(client_id="concord-cli", redirect_uris=frozenset({"http://127.0.0.1:7777/done"}))
ASKED = {
    "response_type": "code",
    "client_id": "concord-web",
    "redirect_uri": RETURN,
    "scope": "openid profile",
    "state": "state & more",
    "nonce": "nonce-1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Visitor:
    def __init__(self, provider: Provider, browser: httpx2.AsyncClient, clock: HandClock) -> None:
        self.provider, self.browser, self.clock = provider, browser, clock

    async def code(self, persona: str = "officer", **changed: str) -> str:
        answer = await self.browser.post("/authorize", data={**ASKED, **changed, "persona": persona})
        assert answer.status_code == 303, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]

    async def redeem(self, a_code: str, **changed: str | None) -> httpx2.Response:
        good: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": a_code,
            "redirect_uri": RETURN,
            "code_verifier": VERIFIER,
            "client_id": "concord-web",
            "client_secret": SECRET,
        }
        form = {name: value for name, value in {**good, **changed}.items() if value is not None}
        return await self.browser.post("/token", data=form)


@asynccontextmanager
async def visiting() -> AsyncIterator[Visitor]:
    clock = HandClock()
    settings = OidcSettings(
        demo=True,
        oidc_client_secret=SecretStr(SECRET),
        oidc_redirect_uris=f"{RETURN} {OTHER_RETURN} {ANY_PORT}",
        oidc_signed_out_uris=SIGNED_OUT,
    )
    async with running_provider(settings, clients=(PUBLIC,), clock_real=clock) as provider:
        async with httpx2.AsyncClient(base_url=provider.issuer, trust_env=False) as browser:
            yield Visitor(provider, browser, clock)


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]
