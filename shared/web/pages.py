"""The way of a request that comes from a browser, around a page's endpoint.

In order, each step refusing with a page of its own:
1. who asks: the session's cookie, then the directory; nobody yet: to the sign-in and back, a form kept;
2. of a form: that it comes from a page of ours (Sec-Fetch-Site, else Origin); its fields, under limits;
3. the form's key, which the kit's Idempotency-Key is: sent twice, done once, answered alike;
4. the endpoint, in a fresh unit that is committed with the answer; on a conflict all of this step again.

A form that is refused is shown again by `again`, its page's own endpoint, with what was sent and what was
wrong about it. A page that is refused is a page that says why.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pymongo.errors import PyMongoError
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from shared.context import Context
from shared.errors import Conflict, Forbidden, Invalid, Malformed, Refusal, StaleVersion
from shared.http import idempotency
from shared.http.auth import PUBLIC, READING, SIGNED_IN, Caller, May, require_known
from shared.http.limits import UnsupportedMediaType, check_address, one_header
from shared.http.problems import refusal_of
from shared.http.running import Kit, Running, context_of, kit_of, out_of_time
from shared.http.visit import visit_of
from shared.storage.repository import Unit
from shared.web import kept_forms
from shared.web.ask import SEE_OTHER, Ask
from shared.web.browser import Browser, NotSignedIn
from shared.web.forms import FORM, KEY_FIELD, VERSION_FIELD, errors_of, read_form
from shared.web.language import language_for, speaking
from shared.web.refused import refused_page
from shared.web.site import Site, sign_in_address
from shared.web.templates import add_templates

Endpoint = Callable[[Ask], Awaitable[Response]]

UNPROCESSABLE = 422
IN_FLIGHT_PAUSE_S = 0.1
VERSION_DIGITS_MAX = 12


class Pages:
    """The pages of one room. Each names whom it takes; there is no other way to add one."""

    def __init__(self, room: str, *, templates: Path | None = None) -> None:
        self.routes: list[BaseRoute] = []
        if templates is not None:
            add_templates(room, templates)

    def get(self, path: str, *, may: May) -> Callable[[Endpoint], Endpoint]:
        return self._add("GET", path, may, None)

    def post(self, path: str, *, may: May, again: Endpoint | None = None) -> Callable[[Endpoint], Endpoint]:
        """`again` shows the form anew when it is refused; it reads and changes nothing."""
        return self._add("POST", path, may, again)

    def _add(
        self, method: str, path: str, may: May, again: Endpoint | None
    ) -> Callable[[Endpoint], Endpoint]:
        require_known(may)

        def add(endpoint: Endpoint) -> Endpoint:
            self.routes.append(PageRoute(path, endpoint, method=method, may=may, again=again))
            return endpoint

        return add


class PageRoute(Route):
    def __init__(
        self, path: str, endpoint: Endpoint, *, method: str, may: May, again: Endpoint | None
    ) -> None:
        self.may = may
        self.page = endpoint
        self.again = again
        super().__init__(path, self._handle, methods=[method], include_in_schema=False)

    async def _handle(self, request: Request) -> Response:
        kit, site, visit = kit_of(request), site_of_app(request), visit_of(request)
        visit.route, visit.private = self.path, True
        going = Going(route=self, kit=kit, site=site, request=request)
        limit = asyncio.timeout(kit.request_s_max)
        try:
            async with limit:
                if request.method in READING:
                    return await going.answer()
                with kit.runtime.pace.command():
                    return await going.answer()
        except TimeoutError:
            if not limit.expired():
                raise
        return await going.refused(out_of_time(request))


@dataclass(kw_only=True)
class Going:
    """One request on its way."""

    route: PageRoute
    kit: Kit
    site: Site
    request: Request
    browser: Browser | None = None
    sent: dict[str, str] | None = None

    async def answer(self) -> Response:
        try:
            return await self._answer()
        except NotSignedIn as nobody:
            return await self._to_sign_in(nobody)
        except Exception as error:
            return await self.refused(refusal_of(error))

    async def _answer(self) -> Response:
        check_address(self.request.scope)
        self.browser = browser = Browser(self.site.sessions, self.kit.authenticator.directory)
        reading = self.request.method in READING
        if not reading:
            require_our_own_page(self.request, self.site.origin)
            self.sent = read_form(await self._read_body())
        caller = await browser.caller(self.request, self.route.may)
        visit_of(self.request).actor_id = caller.actor.id
        running = Running(
            kit=replace(self.kit, authenticator=browser),
            run=self._run,
            request=self.request,
            may=self.route.may,
            context=self._context(caller),
        )
        if reading:
            return await running.read()
        running.asked = self._asked(caller)
        return await self._command(running)

    async def _command(self, running: Running) -> Response:
        while True:
            try:
                return await running.command()
            except Refusal as refusal:
                if refusal.code == "idempotency_key_in_flight":
                    # The same form, sent twice at once: both get the one answer.
                    await asyncio.sleep(IN_FLIGHT_PAUSE_S)
                    continue
                if self.route.again is None or not _is_about_the_form(refusal):
                    raise
                return await self._shown_again(running.context, refusal)

    async def _run(self, request: Request) -> Response:
        unit = visit_of(request).unit
        assert unit is not None, "whoever runs has made the unit"
        ask = self._ask(unit)
        with speaking(ask.language):
            return await self.route.page(ask)

    async def _shown_again(self, context: Context, refusal: Refusal) -> Response:
        visit_of(self.request).code = refusal.code
        assert self.route.again is not None
        unit = Unit(self.kit.runtime.mongo, replace(context, if_match=None))
        ask = self._ask(unit)
        ask.is_stale = isinstance(refusal, StaleVersion | Conflict)
        with speaking(ask.language):
            ask.sent, ask.errors = self.sent or {}, errors_of(refusal)
            response = await self.route.again(ask)
        response.status_code = UNPROCESSABLE
        return response

    def _ask(self, unit: Unit) -> Ask:
        return _new_ask(self.request, unit, self.browser, self.sent)

    def _context(self, caller: Caller) -> Context:
        version = (self.sent or {}).get(VERSION_FIELD, "")
        return context_of(self.kit, self.request, caller, if_match=_version(version))

    def _asked(self, caller: Caller) -> idempotency.Asked | None:
        key, body = (self.sent or {}).get(KEY_FIELD), repr(sorted((self.sent or {}).items())).encode()
        if key is None:
            if self.route.may in (PUBLIC, SIGNED_IN):
                return None
            raise Malformed("idempotency_key_missing", "The form came without its key")
        route = f"{self.request.method} {self.route.path}"
        return idempotency.asked_with(key, self.request, body, actor_id=caller.actor.id, route=route)

    async def _read_body(self) -> bytes:
        body = await visit_of(self.request).incoming.read(self.kit.body_bytes_max)
        kind = one_header(self.request.headers.getlist("content-type"), "Content-Type") or ""
        if body and kind.partition(";")[0].strip().lower() != FORM:
            raise UnsupportedMediaType("media_type_unsupported", f"The body must be {FORM}", expected=FORM)
        return body

    async def _to_sign_in(self, nobody: NotSignedIn) -> Response:
        visit_of(self.request).code = nobody.code
        is_part = self.request.headers.get("hx-request") == "true"
        back = _path_of(self.request.url)
        if is_part and self.sent is None:  # The page that it is a part of.
            back = _path_of(URL(self.request.headers.get("hx-current-url", "/")))
        if self.sent is not None:
            whose = nobody.session.subject if nobody.session else ""
            mongo, now = self.kit.runtime.mongo, self.kit.runtime.clock.real()
            back = await kept_forms.keep(mongo, self.site.service, back, self.sent, whose=whose, now=now)
        address = sign_in_address(back)
        if is_part:
            return Response(status_code=401, headers={"HX-Redirect": address})
        return RedirectResponse(address, status_code=SEE_OTHER)

    async def refused(self, refusal: Refusal) -> Response:
        return _refused(self.request, refusal, self.browser)


async def nothing_here(request: Request, refusal: Refusal) -> Response:
    """What a browser is told where no page is; in the frame of whoever asks, if that can be known."""
    directory = kit_of(request).authenticator.directory
    browser: Browser | None = Browser(site_of_app(request).sessions, directory)
    try:
        assert browser is not None
        await browser.caller(request, PUBLIC)
    except (Refusal, PyMongoError):
        browser = None
    response = _refused(request, refusal, browser)
    if allowed := refusal.details.get("allowed"):
        response.headers["Allow"] = allowed
    return response


def _refused(request: Request, refusal: Refusal, browser: Browser | None) -> Response:
    visit, runtime = visit_of(request), kit_of(request).runtime
    visit.code = refusal.code
    actor = browser.actor if browser else None
    context = runtime.context(actor) if actor else runtime.system_context("nobody")
    ask = _new_ask(request, Unit(runtime.mongo, context), browser, None)
    return refused_page(ask, refusal, visit.correlation_id)


def _new_ask(request: Request, unit: Unit, browser: Browser | None, sent: Mapping[str, str] | None) -> Ask:
    session = browser.session if browser else None
    known = unit.context.actor.language if session else None
    return Ask(
        request=request,
        work=unit,
        site=site_of_app(request),
        session=session,
        language=language_for(request, known),
        sent=sent or {},
    )


def require_our_own_page(request: Request, origin: str) -> None:
    """A form of another site may be sent with our cookie; the browser says where it came from."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        allowed = site == "same-origin"
    else:
        allowed = request.headers.get("origin") in (origin, str(request.base_url).rstrip("/"))
    if not allowed:
        raise Forbidden("cross_site", "This form came from another site, so nothing was done")


def _is_about_the_form(refusal: Refusal) -> bool:
    """What the reader can mend where they are, or must decide anew; all else has a page of its own."""
    return isinstance(refusal, Invalid | StaleVersion) or refusal.status in (409, 423, 429)


def _path_of(url: URL) -> str:
    return f"{url.path}?{url.query}" if url.query else url.path


def _version(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > VERSION_DIGITS_MAX:
        raise Malformed("form_malformed", "The form cannot be read")
    return int(text)


def site_of_app(request: Request) -> Site:
    site = request.app.state.site
    assert isinstance(site, Site)
    return site
