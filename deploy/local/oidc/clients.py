"""The applications that may sign people in, and how one proves to be the one it says."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from deploy.local.oidc.refusals import GrantRefused

_ON_LOOPBACK = re.compile(r"(?P<origin>http://127\.0\.0\.1):[0-9]{1,5}(?P<path>/[^\s#]*)")


@dataclass(frozen=True, kw_only=True)
class Client:
    """Without a secret it is a public client: PKCE alone ties a code to who asked for it.

    A redirect address on loopback that is registered without a port is good for any port (RFC 8252, section
    7.3): the application takes another one where its usual one is taken.
    """

    client_id: str
    secret: str | None = field(default=None, repr=False)
    redirect_uris: frozenset[str] = frozenset()
    signed_out_uris: frozenset[str] = frozenset()

    def returns_to(self, address: str) -> bool:
        return address in self.redirect_uris or _without_port(address) in self.redirect_uris


@dataclass(frozen=True)
class _Credentials:
    client_id: str
    secret: str | None


def _without_port(address: str) -> str | None:
    """The same address on loopback without its port; None where it has none, or is elsewhere."""
    found = _ON_LOOPBACK.fullmatch(address)
    return None if found is None else f"{found['origin']}{found['path']}"


def authenticate(clients: Mapping[str, Client], form: Mapping[str, str], authorization: str | None) -> Client:
    """The client that speaks, by HTTP Basic or by the form, not by both (RFC 6749, section 2.3)."""
    said = _from_header(authorization, form) if authorization else _from_form(form)
    client = clients.get(said.client_id)
    if client is None:
        raise GrantRefused("invalid_client", "this client is not known", status=401)
    if client.secret is None:
        if said.secret:
            raise GrantRefused("invalid_client", "this client is public and has no secret", status=401)
    elif not hmac.compare_digest(client.secret.encode(), (said.secret or "").encode()):
        raise GrantRefused("invalid_client", "the client's secret is missing or wrong", status=401)
    return client


def _from_form(form: Mapping[str, str]) -> _Credentials:
    if "client_id" not in form:
        raise GrantRefused(
            "invalid_client", "the request does not say which client it comes from", status=401
        )
    return _Credentials(form["client_id"], form.get("client_secret"))


def _from_header(authorization: str, form: Mapping[str, str]) -> _Credentials:
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id, secret = "", ""
    if scheme.lower() != "basic" or not client_id:
        raise GrantRefused("invalid_client", "the Authorization header cannot be read", status=401)
    said = _Credentials(unquote_plus(client_id), unquote_plus(secret))
    if "client_secret" in form or form.get("client_id", said.client_id) != said.client_id:
        raise GrantRefused("invalid_request", "the client says twice who it is")
    return said
