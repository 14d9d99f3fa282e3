"""The provider over HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from deploy.local.oidc.keys import RETIRED_KEYS_MAX, TooManyRotations
from deploy.local.oidc.pages import choose_page, refused_page, signed_out_page, welcome_page
from deploy.local.oidc.provider import DEMO_GRANT, Provider
from deploy.local.oidc.refusals import BrowserSentBack, GrantRefused, PageRefused
from deploy.local.oidc.sign_in import sent_back
from deploy.local.personas import PERSONAS, Persona, persona_by_key

FORM_BYTES_MAX = 16_384
FORM_FIELDS_MAX = 50
_FORM = "application/x-www-form-urlencoded"
_STYLE = Path(__file__).with_name("style.css")

Answer = Callable[[Request], Awaitable[Response]]


def make_app(provider: Provider, *, hosts: frozenset[str]) -> Starlette:
    """`hosts`: the names it answers to. A page elsewhere must not reach it under a name of its own."""
    endpoints = Endpoints(provider)
    routes = [
        Route("/", _safe(endpoints.welcome)),
        Route("/style.css", _safe(endpoints.style)),
        Route("/.well-known/openid-configuration", _safe(endpoints.discovery)),
        Route("/jwks", _safe(endpoints.jwks)),
        Route("/authorize", _safe(endpoints.authorize), methods=["GET", "POST"]),
        Route("/token", _safe(endpoints.token), methods=["POST"]),
        Route("/userinfo", _safe(endpoints.userinfo), methods=["GET", "POST"]),
        Route("/end-session", _safe(endpoints.end_session), methods=["GET", "POST"]),
        Route("/demo/personas", _safe(endpoints.personas)),
        Route("/demo/keys/rotations", _safe(endpoints.rotate_keys), methods=["POST"]),
    ]
    return Starlette(
        routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=sorted(hosts))]
    )


class Endpoints:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def welcome(self, request: Request) -> Response:
        return _html(welcome_page(self._provider.issuer))

    async def style(self, request: Request) -> Response:
        return FileResponse(_STYLE, media_type="text/css")

    async def discovery(self, request: Request) -> Response:
        return JSONResponse(_discovery(self._provider))

    async def jwks(self, request: Request) -> Response:
        return JSONResponse(self._provider.keys.published(), media_type="application/jwk-set+json")

    async def authorize(self, request: Request) -> Response:
        pairs = await _pairs(request)
        try:
            sign_in = self._provider.read_sign_in(pairs)
        except BrowserSentBack as refusal:
            return RedirectResponse(_refusal_address(refusal, self._provider.issuer), status_code=303)
        persona_key = dict(pairs).get("persona")
        if request.method == "POST" and persona_key is not None:
            return RedirectResponse(self._provider.choose(sign_in, persona_key), status_code=303)
        if persona_by_key(sign_in.login_hint) is not None:
            # Chosen on the application's own page of personas: one click is enough.
            return RedirectResponse(self._provider.choose(sign_in, sign_in.login_hint), status_code=303)
        # A form's redirect counts as a place it submits to: the client's origin has to be named.
        return _html(choose_page(sign_in), forms_may_reach=sign_in.redirect_uri)

    async def token(self, request: Request) -> Response:
        form = await _form(request)
        return JSONResponse(self._provider.grant(form, request.headers.get("authorization")))

    async def userinfo(self, request: Request) -> Response:
        scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise GrantRefused("invalid_token", "a bearer token is needed", status=401)
        return JSONResponse(self._provider.person_behind(access_token))

    async def end_session(self, request: Request) -> Response:
        address = self._provider.signed_out_address(dict(await _pairs(request)))
        return _html(signed_out_page()) if address is None else RedirectResponse(address, status_code=303)

    async def personas(self, request: Request) -> Response:
        return JSONResponse({"personas": [_told(persona) for persona in PERSONAS]})

    async def rotate_keys(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise GrantRefused("access_denied", "keys are not rotated by other people's pages", status=403)
        try:
            return JSONResponse({"kid": self._provider.rotate_keys()}, status_code=201)
        except TooManyRotations:
            limit = f"{RETIRED_KEYS_MAX} old keys are still published: wait until their grace has passed"
            raise GrantRefused("slow_down", limit, status=429) from None


def _safe(answer: Answer) -> Answer:
    """Refusals in the form that their reader expects, and headers that leave a browser no choice."""

    async def answered(request: Request) -> Response:
        try:
            response = await answer(request)
        except PageRefused as refusal:
            response = _html(refused_page(str(refusal)), status=400)
        except GrantRefused as refusal:
            response = _refusal(refusal)
        response.headers.setdefault("content-security-policy", _policy())
        response.headers["cache-control"] = "no-store"
        response.headers["referrer-policy"] = "no-referrer"
        response.headers["x-content-type-options"] = "nosniff"
        return response

    return answered


def _html(page: str, *, status: int = 200, forms_may_reach: str | None = None) -> Response:
    return HTMLResponse(page, status, {"content-security-policy": _policy(forms_may_reach)})


def _policy(forms_may_reach: str | None = None) -> str:
    parts = urlsplit(forms_may_reach or "")
    beyond = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return (
        f"default-src 'none'; style-src 'self'; form-action 'self'{beyond}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )


def _refusal(refusal: GrantRefused) -> Response:
    body = {"error": refusal.error, "error_description": refusal.description}
    scheme = "Basic" if refusal.error == "invalid_client" else "Bearer"
    headers = {"www-authenticate": f'{scheme} realm="concord demo"'} if refusal.status == 401 else None
    return JSONResponse(body, refusal.status, headers)


def _refusal_address(refusal: BrowserSentBack, issuer: str) -> str:
    return sent_back(
        refusal.redirect_uri,
        error=refusal.error,
        error_description=refusal.description,
        state=refusal.state,
        iss=issuer,
    )


async def _pairs(request: Request) -> list[tuple[str, str]]:
    if request.method != "POST":
        return request.query_params.multi_items()
    return await _form_pairs(request)


async def _form(request: Request) -> Mapping[str, str]:
    pairs = await _form_pairs(request)
    values = dict(pairs)
    if len(values) != len(pairs):
        raise GrantRefused("invalid_request", "a parameter is given twice")
    return values


async def _form_pairs(request: Request) -> list[tuple[str, str]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise GrantRefused("invalid_request", f"the body must be {_FORM}", status=415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise GrantRefused("invalid_request", f"the body is over {FORM_BYTES_MAX} bytes", status=413)
    try:
        return parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=FORM_FIELDS_MAX
        )
    except ValueError:
        raise GrantRefused("invalid_request", "the body is not a form") from None


def _told(persona: Persona) -> dict[str, str]:
    """What an application's own page of personas shows."""
    return {
        "key": persona.key,
        "name": persona.name,
        "name_latin": persona.name_latin,
        "name_language": persona.name_language,
        "title": persona.title,
        "comes_to": persona.comes_to,
    }


def _discovery(provider: Provider) -> dict[str, Any]:
    issuer = provider.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/end-session",
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": ["openid", "profile", "email"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", DEMO_GRANT],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [provider.keys.algorithm],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "nonce",
            "name",
            "email",
            "locale",
            "zoneinfo",
        ],
    }
