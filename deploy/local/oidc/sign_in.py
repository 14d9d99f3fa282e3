"""The request at /authorize: what it must say, and whom we tell when it does not.

Who the client is and where it wants the browser sent back to are looked at first. Until both are known to be
right nobody is sent anywhere, or this provider would be a way to send people to any address in the world.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from deploy.local.oidc.clients import Client
from deploy.local.oidc.refusals import BrowserSentBack, PageRefused

VALUE_LENGTH_MAX = 512
OPENID = "openid"
_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SINGLE = frozenset(
    {"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt"}
    | {"code_challenge", "code_challenge_method", "login_hint", "persona"}
)


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """One application's wish to know who somebody is."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    nonce: str
    code_challenge: str
    # Who they said they are, where the application asked them already.
    login_hint: str = ""

    def fields(self) -> dict[str, str]:
        """The same request again, for the form behind each persona."""
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": self.code_challenge,
            "code_challenge_method": "S256",
        }


def read_sign_in(pairs: Iterable[tuple[str, str]], clients: Mapping[str, Client]) -> SignIn:
    said = list(pairs)
    client, redirect_uri = _origin(said, clients)
    wrong = _first_fault(said)
    values = dict(said)
    if wrong is not None:
        raise BrowserSentBack(*wrong, redirect_uri=redirect_uri, state=values.get("state"))
    return SignIn(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scope=values["scope"],
        state=values["state"],
        nonce=values["nonce"],
        code_challenge=values["code_challenge"],
        login_hint=values.get("login_hint", ""),
    )


def sent_back(redirect_uri: str, **answer: str | None) -> str:
    """The client's address with our answer added to whatever its query holds already."""
    parts = urlsplit(redirect_uri)
    added = urlencode({name: value for name, value in answer.items() if value is not None})
    query = f"{parts.query}&{added}" if parts.query and added else parts.query or added
    return urlunsplit(parts._replace(query=query))


def _origin(said: list[tuple[str, str]], clients: Mapping[str, Client]) -> tuple[Client, str]:
    names = [name for name, _ in said]
    if names.count("client_id") != 1 or names.count("redirect_uri") != 1:
        raise PageRefused("The request must name one client and one address to return to.")
    values = dict(said)
    client = clients.get(values["client_id"])
    if client is None:
        raise PageRefused("No such client is registered here.")
    if not client.returns_to(values["redirect_uri"]):
        raise PageRefused("That client has not registered this address to return to.")
    return client, values["redirect_uri"]


def _first_fault(said: list[tuple[str, str]]) -> tuple[str, str] | None:
    names = [name for name, _ in said]
    values = dict(said)
    if any(names.count(name) > 1 for name in _SINGLE):
        return "invalid_request", "a parameter is given twice"
    if values.get("response_type") != "code":
        return "unsupported_response_type", "only the authorization code flow is offered"
    if values.get("response_mode", "query") != "query":
        return "invalid_request", "only response_mode query is offered"
    if OPENID not in values.get("scope", "").split():
        return "invalid_scope", "scope must contain openid"
    for name in ("state", "nonce"):
        if not 0 < len(values.get(name, "")) <= VALUE_LENGTH_MAX:
            return "invalid_request", f"{name} is required, up to {VALUE_LENGTH_MAX} characters"
    if values.get("code_challenge_method") != "S256":
        return "invalid_request", "PKCE with code_challenge_method S256 is required"
    if not _S256_CHALLENGE.fullmatch(values.get("code_challenge", "")):
        return "invalid_request", "code_challenge must be the 43 characters of a SHA-256"
    if "none" in values.get("prompt", "").split():
        return "login_required", "nobody stays signed in here: every sign-in shows the personas"
    return None
