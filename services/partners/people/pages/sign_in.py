"""Signing in and out, as a browser sees it. What happens at the provider is in adapters/sign_in_provider.py.

1. /partners/sign-in: in a demonstration the people one can be, one click each; else straight on.
2. /partners/sign-in/start: to the provider. What this sign-in must come back with is in a sealed cookie, for
   ten minutes; a second one begun in another window takes its place.
3. /partners/sign-in/return: back, with a code or with a reason. The session begins, and the page that was
   wanted is shown. Only a path of our own is wanted by anybody: all else leads to My work.
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from services.partners.people.adapters.sign_in_provider import SignIn, SignInProvider, SignInRefused
from services.partners.people.pages import FRONT, new_pages, own_path
from shared.errors import Refusal, Unauthenticated
from shared.http.auth import PUBLIC
from shared.http.visit import visit_of
from shared.web.ask import SEE_OTHER, Ask
from shared.web.forms import FormModel
from shared.web.language import N_
from shared.web.pages import Pages
from shared.web.site import SIGN_IN, SIGN_OUT, sign_in_address

START, RETURN, SIGNED_OUT = f"{SIGN_IN}/start", f"{SIGN_IN}/return", "/partners/signed-out"
COOKIE = "concord-sign-in"
LASTS = timedelta(minutes=10)
_OF_SIGN_IN = frozenset({SIGN_IN, START, RETURN, SIGN_OUT, SIGNED_OUT})
_REASONS = {
    "access_denied": N_("You did not sign in, or you are not let in there."),
    "temporarily_unavailable": N_("The sign-in is busy or away. Try again in a moment."),
    "server_error": N_("Something went wrong at the sign-in. Try again in a moment."),
}
_OTHER_REASON = N_(
    "The sign-in could not be finished. Try again; if it happens again, tell us the number below."
)


class Wanted(FormModel):
    """`to`: the page to come back to."""

    to: str = FRONT
    persona: str = ""


class Returned(FormModel):
    code: str = ""
    state: str = ""
    iss: str = ""
    error: str = ""


def sign_in_pages(provider: SignInProvider) -> Pages:
    pages = new_pages()

    @pages.get(SIGN_IN, may=PUBLIC)
    async def sign_in(ask: Ask) -> Response:
        to = _wanted(ask)
        if not ask.site.demo:
            return await _start(ask, provider, SignIn.begin(to))
        if elsewhere := _under_another_name(ask):
            return elsewhere
        personas = await provider.personas()
        # No link to where one is.
        return ask.page("people/sign_in.html", personas=personas, to=to, start=START, sign_in="")

    @pages.get(START, may=PUBLIC)
    async def start(ask: Ask) -> Response:
        persona = ask.query(Wanted).persona
        return await _start(ask, provider, SignIn.begin(_wanted(ask)), persona=persona)

    @pages.get(RETURN, may=PUBLIC)
    async def come_back(ask: Ask) -> Response:
        said, begun = ask.query(Returned), _begun(ask)
        try:
            return await _signed_in(ask, provider, said, begun)
        except Unauthenticated as refusal:
            return _failed(ask, refusal, begun)

    @pages.post(SIGN_OUT, may=PUBLIC)
    async def sign_out(ask: Ask) -> Response:
        response = ask.see_other(SIGNED_OUT)
        ask.site.sessions.end(response, ask.site.sessions.of(ask.request))
        return response

    @pages.get(SIGNED_OUT, may=PUBLIC)
    async def signed_out(ask: Ask) -> Response:
        at_provider = None if ask.site.demo else await provider.signed_out_address()
        return ask.page("people/signed_out.html", at_provider=at_provider)

    return pages


def _wanted(ask: Ask) -> str:
    """The page to come back to: one of ours, and not of the sign-in itself."""
    to = own_path(ask.query(Wanted).to)
    return FRONT if urlsplit(to).path in _OF_SIGN_IN else to


async def _start(ask: Ask, provider: SignInProvider, sign_in: SignIn, persona: str = "") -> Response:
    address = await provider.address(sign_in, hint=persona, language=ask.language)
    response = RedirectResponse(address, status_code=SEE_OTHER)
    plain = {
        "state": sign_in.state,
        "nonce": sign_in.nonce,
        "verifier": sign_in.verifier,
        "to": sign_in.to,
        "until": (ask.work.context.recorded_at + LASTS).isoformat(),
    }
    sealed = ask.site.seal.close(plain)
    ask.site.sessions.set(response, COOKIE, sealed, int(LASTS.total_seconds()))
    return response


async def _signed_in(ask: Ask, provider: SignInProvider, said: Returned, begun: SignIn | None) -> Response:
    if begun is None or said.state != begun.state:
        if ask.session is not None:  # Somebody went back, or asked twice.
            return ask.see_other(FRONT)
        raise SignInRefused(
            "sign_in_not_begun", "This sign-in was not begun in this browser, or too long ago"
        )
    if said.error:
        reason = _REASONS.get(said.error, _OTHER_REASON)
        raise SignInRefused("sign_in_failed", "The sign-in could not be finished", reason=reason)
    if said.iss not in ("", provider.issuer):
        raise SignInRefused("sign_in_not_ours", "This is the answer to another sign-in")
    known = await provider.redeem(said.code, begun)
    response = ask.see_other(begun.to)
    ask.site.sessions.begin(response, issuer=known.issuer, subject=known.subject, name=known.name)
    ask.site.sessions.set(response, COOKIE, "", 0)
    return response


def _failed(ask: Ask, refusal: Refusal, begun: SignIn | None) -> Response:
    visit = visit_of(ask.request)
    visit.code = refusal.code
    again = sign_in_address(begun.to if begun else FRONT)
    response = ask.page(
        "people/sign_in_failed.html",
        status=refusal.status,
        # In place of this page's own address, which holds what is nobody's to see or to keep.
        here=again,
        sign_in=again,
        message=refusal.details.get("reason", refusal.message),
        code=refusal.code,
        correlation_id=visit.correlation_id,
        again=again,
    )
    ask.site.sessions.set(response, COOKIE, "", 0)
    return response


def _begun(ask: Ask) -> SignIn | None:
    kept = ask.request.cookies.get(ask.site.sessions.named(COOKIE), "")
    plain = ask.site.seal.open(kept)
    if plain is None or set(plain) != {"state", "nonce", "verifier", "to", "until"}:
        return None
    if datetime.fromisoformat(plain.pop("until")) <= ask.work.context.recorded_at:
        return None
    return SignIn(**plain)


def _under_another_name(ask: Ask) -> Response | None:
    """The way back leads to the one address we are known by. Who came by another one, localhost perhaps,
    would have their cookie there.
    """
    url = ask.request.url
    if url.netloc == urlsplit(ask.site.origin).netloc:
        return None
    here = f"{url.path}?{url.query}" if url.query else url.path
    return RedirectResponse(ask.site.origin + here, status_code=SEE_OTHER)
