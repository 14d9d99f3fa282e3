"""Signing in at an OpenID Connect provider: the code flow with PKCE, state and nonce.

Who is who: the *provider* knows who somebody is; a *sign-in* is one browser's way there and back; the *ID
token* is what the provider says at its end.

What happens, in order:
1. We make a state, a nonce and a verifier, and send the browser to the provider with the state, the nonce and
   the verifier's SHA-256. All three stay with the browser in a sealed cookie; we keep nothing.
2. The browser comes back with a code. The state must be the one of its own cookie, so nobody can be signed
   in by a link that somebody else has made for them.
3. The code is redeemed with the verifier, and with our secret where we have one: alone it is worth nothing.
4. The ID token is checked like any token of that issuer (shared/http/tokens.py), with our client id as its
   audience; then its nonce, so that it is an answer to this sign-in, and who it was made for (`azp`).

Not needed for correctness: the memory of the discovery document, and the `iss` beside the code, which only
says earlier what the ID token says anyway.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
import structlog
from pydantic import BaseModel, JsonValue, ValidationError

from shared.errors import Permanent, Transient, Unauthenticated, Unavailable
from shared.http.jwks import fetch_document
from shared.http.tokens import TokenVerifier

DISCOVERY = "/.well-known/openid-configuration"
PERSONAS = "/demo/personas"
SCOPE = "openid profile"
DISCOVERED_S = 600.0
ANSWER_S_MAX = 10.0
ANSWER_BYTES_MAX = 65_536
NAME_LENGTH_MAX = 200
RANDOM_BYTES = 32

log = structlog.get_logger()


class SignInRefused(Unauthenticated):
    """The provider, or what it sent, did not make anybody known to us."""


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One browser's way to the provider and back; `to` is the page it wanted."""

    state: str
    nonce: str
    verifier: str
    to: str

    @classmethod
    def begin(cls, to: str) -> "SignIn":
        return cls(state=_random(), nonce=_random(), verifier=_random(), to=to)

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class Known:
    """Who came back. The name is for the page's corner only."""

    issuer: str
    subject: str
    name: str


class Persona(BaseModel):
    """Somebody to be in a demonstration."""

    key: str
    name: str
    name_latin: str
    name_language: str
    title: str
    comes_to: str


@dataclass(frozen=True, kw_only=True)
class Client:
    """We, as the provider knows us."""

    id: str
    secret: str | None
    redirect_uri: str


class SignInProvider:
    def __init__(
        self, issuer: str, client: Client, clock_real: Callable[[], datetime], jwks_url: str | None = None
    ) -> None:
        self.issuer = issuer
        self.client = client
        self._clock_real = clock_real
        self._jwks_url = jwks_url
        self._discovered: tuple[datetime, _Endpoints] | None = None

    async def address(self, sign_in: SignIn, *, hint: str = "", language: str = "") -> str:
        """Where the browser goes. `hint`: who they say they are."""
        endpoint = (await self._endpoints()).authorization_endpoint
        asked = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.client.redirect_uri,
            "scope": SCOPE,
            "state": sign_in.state,
            "nonce": sign_in.nonce,
            "code_challenge": sign_in.challenge,
            "code_challenge_method": "S256",
            "login_hint": hint,
            "ui_locales": language,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    async def redeem(self, code: str, sign_in: SignIn) -> Known:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": sign_in.verifier,
        }
        endpoint = (await self._endpoints()).token_endpoint
        status, body = await self._sent(endpoint, form)
        if status != 200:
            log.warning("sign_in_code_refused", status=status)
            raise SignInRefused("sign_in_code_refused", "The sign-in was used already, or took too long")
        try:
            return await self._checked(_Granted.model_validate_json(body).id_token, sign_in)
        except ValidationError:
            raise SignInRefused("sign_in_answer_unreadable", "The sign-in did not say who you are") from None

    async def personas(self) -> tuple[Persona, ...]:
        """Of the demonstration's own provider; another one has none."""
        try:
            return _People.model_validate_json(await fetch_document(self.issuer + PERSONAS)).personas
        except (Transient, Permanent, ValidationError):
            return ()

    async def signed_out_address(self) -> str | None:
        """Where somebody ends their session at the provider as well, if it has such a place."""
        try:
            endpoint = (await self._endpoints()).end_session_endpoint
        except Unavailable:
            return None
        return endpoint and f"{endpoint}?{urlencode({'client_id': self.client.id})}"

    async def _checked(self, token: str, sign_in: SignIn) -> Known:
        verifier = TokenVerifier(self.issuer, self.client.id, self._clock_real, jwks_url=self._jwks_url)
        try:
            claims = await verifier.verify(token)
        finally:
            await verifier.close()
        said = _IdToken.model_validate_json(_payload(token))
        if not hmac.compare_digest(said.nonce.encode(), sign_in.nonce.encode()):
            raise SignInRefused("sign_in_not_ours", "This is the answer to another sign-in")
        if said.azp not in (None, self.client.id):
            raise SignInRefused("sign_in_not_ours", "This is the answer to another sign-in")
        return Known(issuer=claims.issuer, subject=claims.subject, name=said.shown_name)

    async def _endpoints(self) -> "_Endpoints":
        now = self._clock_real()
        if self._discovered and abs(now - self._discovered[0]) < timedelta(seconds=DISCOVERED_S):
            return self._discovered[1]
        try:
            found = _Endpoints.model_validate_json(await fetch_document(self.issuer.rstrip("/") + DISCOVERY))
        except (Transient, Permanent, ValidationError) as failure:
            log.warning("sign_in_not_discovered", issuer=self.issuer, reason=type(failure).__name__)
            raise _away() from None
        if not found.can_be_trusted_by(self.issuer):
            log.error("sign_in_discovery_wrong", issuer=self.issuer)
            raise _away()
        self._discovered = (now, found)
        return found

    async def _sent(self, address: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """As a confidential client by HTTP Basic, as a public one by its name in the form."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self.client.secret is None:
            form = {**form, "client_id": self.client.id}
        else:
            said = f"{quote_plus(self.client.id)}:{quote_plus(self.client.secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(said.encode()).decode()}"
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                async with httpx2.AsyncClient(follow_redirects=False, trust_env=False) as http:
                    async with http.stream("POST", address, data=dict(form), headers=headers) as answer:
                        return answer.status_code, await _body_of(answer)
        except (httpx2.HTTPError, TimeoutError) as failure:
            log.warning("sign_in_away", error=type(failure).__name__)
            raise _away() from None


async def _body_of(answer: httpx2.Response) -> bytes:
    if answer.status_code >= 500:
        raise _away()
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise _away()
    return bytes(body)


class _Endpoints(BaseModel):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str | None = None

    def can_be_trusted_by(self, issuer: str) -> bool:
        """Whoever signs in over TLS is not sent elsewhere without it."""
        scheme = urlsplit(issuer).scheme
        return self.issuer == issuer and all(
            urlsplit(one).scheme in ("https", scheme)
            for one in (self.authorization_endpoint, self.token_endpoint, self.end_session_endpoint or issuer)
        )


class _Granted(BaseModel):
    id_token: str


class _IdToken(BaseModel):
    nonce: str
    azp: str | None = None
    name: JsonValue = None
    preferred_username: JsonValue = None

    @property
    def shown_name(self) -> str:
        given = [one for one in (self.name, self.preferred_username) if isinstance(one, str) and one.strip()]
        return given[0][:NAME_LENGTH_MAX] if given else ""


class _People(BaseModel):
    personas: tuple[Persona, ...]


def _payload(token: str) -> bytes:
    """Of a token that has been verified."""
    middle = token.split(".")[1]
    return base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))


def _random() -> str:
    return secrets.token_urlsafe(RANDOM_BYTES)


def _away() -> Unavailable:
    return Unavailable("sign_in_away", "The sign-in cannot be reached; try again in a moment")
