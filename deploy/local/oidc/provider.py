"""What the provider decides, without HTTP: who may have a code, a token, an answer about a person."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from deploy.local.oidc.clients import Client, authenticate
from deploy.local.oidc.codes import CodeGrant, Codes
from deploy.local.oidc.keys import KeyChain, TokenNotOurs
from deploy.local.oidc.refusals import GrantRefused, PageRefused
from deploy.local.oidc.sign_in import SignIn, read_sign_in, sent_back
from deploy.local.personas import Persona, persona_by_key, persona_by_subject

ACCESS_TOKEN_S = 600
ID_TOKEN_S = 600
DEMO_GRANT = "urn:concord:demo-persona"
ACCESS_TOKEN_TYPE = "at+jwt"
ID_TOKEN_TYPE = "JWT"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

Pairs = Iterable[tuple[str, str]]


class Provider:
    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        clients: Iterable[Client],
        keys: KeyChain,
        clock_real: Callable[[], datetime],
    ) -> None:
        self.issuer, self.audience, self.keys = issuer, audience, keys
        self._clients = {client.client_id: client for client in clients}
        self._clock_real, self._codes = clock_real, Codes(clock_real)

    # For tests and tools in the same process.

    def access_token(self, persona_key: str) -> str:
        return self._access_token(_persona(persona_key).subject, client_id=DEMO_GRANT)

    def rotate_keys(self) -> str:
        return self.keys.rotate()

    # For the endpoints.

    def read_sign_in(self, pairs: Pairs) -> SignIn:
        return read_sign_in(pairs, self._clients)

    def choose(self, sign_in: SignIn, persona_key: str) -> str:
        """Where the browser goes with the code of the persona that was clicked."""
        persona = persona_by_key(persona_key)
        if persona is None:
            raise PageRefused("There is no such persona.")
        code = self._codes.issue(sign_in, persona.subject)
        return sent_back(sign_in.redirect_uri, code=code, state=sign_in.state, iss=self.issuer)

    def grant(self, form: Mapping[str, str], authorization: str | None) -> dict[str, Any]:
        match form.get("grant_type"):
            case "authorization_code":
                return self._redeem(form, authenticate(self._clients, form, authorization))
            case str(grant) if grant == DEMO_GRANT:
                return _bearer(self.access_token(form.get("persona", "")))
            case None:
                raise GrantRefused("invalid_request", "grant_type is missing")
            case _:
                raise GrantRefused("unsupported_grant_type", "only codes and demo personas are granted")

    def person_behind(self, access_token: str) -> dict[str, Any]:
        claims = self._checked(access_token)
        persona = persona_by_subject(str(claims.get("sub")))
        alive = self._clock_real() < _instant(claims.get("exp"))
        if persona is None or not alive or claims.get("aud") != self.audience:
            raise GrantRefused("invalid_token", "this access token is not good here", status=401)
        return {"sub": persona.subject, **_profile(persona)}

    def signed_out_address(self, values: Mapping[str, str]) -> str | None:
        """Where to go after signing out: a registered address of the client that asks, or nowhere."""
        wanted = values.get("post_logout_redirect_uri")
        if wanted is None:
            return None
        client_id = values.get("client_id") or self._client_of(values.get("id_token_hint", ""))
        client = self._clients.get(client_id)
        if client is None or wanted not in client.signed_out_uris:
            raise PageRefused("That client has not registered this address for after signing out.")
        return sent_back(wanted, state=values.get("state"))

    def _redeem(self, form: Mapping[str, str], client: Client) -> dict[str, Any]:
        grant = self._codes.take(form.get("code", ""))
        if grant is None or grant.sign_in.client_id != client.client_id:
            raise GrantRefused("invalid_grant", "the code is unknown, spent, too old or another client's")
        if form.get("redirect_uri") != grant.sign_in.redirect_uri:
            raise GrantRefused("invalid_grant", "redirect_uri is not the one the code was asked with")
        if not _answers(grant.sign_in.code_challenge, form.get("code_verifier", "")):
            raise GrantRefused("invalid_grant", "code_verifier is not the one the code was asked with")
        access_token = self._access_token(grant.subject, client_id=client.client_id)
        return {
            **_bearer(access_token),
            "id_token": self._id_token(grant, client),
            "scope": grant.sign_in.scope,
        }

    def _access_token(self, subject: str, *, client_id: str) -> str:
        issued_at_s = int(self._clock_real().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "client_id": client_id,
            "iat": issued_at_s,
            "exp": issued_at_s + ACCESS_TOKEN_S,
            "jti": uuid4().hex,
        }
        return self.keys.sign(claims, typ=ACCESS_TOKEN_TYPE)

    def _id_token(self, grant: CodeGrant, client: Client) -> str:
        issued_at_s = int(self._clock_real().timestamp())
        persona = persona_by_subject(grant.subject)
        claims = {
            "iss": self.issuer,
            "aud": client.client_id,
            "sub": grant.subject,
            "nonce": grant.sign_in.nonce,
            "auth_time": int(grant.issued_at.timestamp()),
            "iat": issued_at_s,
            "exp": issued_at_s + ID_TOKEN_S,
            **(_profile(persona) if persona else {}),
        }
        return self.keys.sign(claims, typ=ID_TOKEN_TYPE)

    def _checked(self, token: str) -> dict[str, Any]:
        try:
            return self.keys.check(token)
        except TokenNotOurs:
            raise GrantRefused("invalid_token", "this token is not ours", status=401) from None

    def _client_of(self, id_token_hint: str) -> str:
        """An ID token that has expired still says whose sign-in it was."""
        try:
            return str(self.keys.check(id_token_hint).get("aud"))
        except TokenNotOurs:
            return ""


def _persona(key: str) -> Persona:
    persona = persona_by_key(key)
    if persona is None:
        raise GrantRefused("invalid_request", "persona must be one of those listed at /")
    return persona


def _profile(persona: Persona) -> dict[str, str]:
    return {
        "name": persona.name,
        "email": persona.email,
        "locale": persona.language,
        "zoneinfo": persona.timezone,
    }


def _bearer(access_token: str) -> dict[str, Any]:
    return {"access_token": access_token, "token_type": "Bearer", "expires_in": ACCESS_TOKEN_S}


def _answers(challenge: str, verifier: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode()).digest()
    answer = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(answer, challenge)


def _instant(seconds: object) -> datetime:
    return datetime.fromtimestamp(seconds if isinstance(seconds, int) else 0, UTC)
