"""A browser without scripts: it keeps cookies, says where its forms come from, and reads the forms of a page
as a person would find them. Somebody is signed in by the very cookie that the sign-in makes.

    officer = browser_of(desk.app, "officer")            # one service, without a socket
    officer = browser_at(house, "officer")               # the whole house
    page = await officer.get("/partners/new")
    page = await officer.submit(page, {"legal_name": "Shelter Forum"}, to="/partners")
    assert page.path == "/partners/ptn_…" and "Shelter Forum" in page.words
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
from fastapi import FastAPI
from starlette.responses import Response

from deploy.local.personas import persona_by_key
from shared.ids import uuid7
from shared.web.site import Site
from tests.support.house import House

SENT_ON_MAX = 10
ISSUER = "https://sign-in.example.org"
_SILENT = frozenset({"script", "style", "head"})


@dataclass
class Form:
    """A form as it stands on a page: `fields` are what it would send as it is."""

    action: str
    method: str
    id: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


@dataclass
class Page:
    """What came of an address, after any redirects; `way` are the answers that led here."""

    answer: httpx2.Response
    way: tuple[httpx2.Response, ...] = ()

    def __post_init__(self) -> None:
        self._read = _Reading()
        if self.answer.headers.get("content-type", "").startswith("text/html"):
            self._read.feed(self.answer.text)

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def path(self) -> str:
        return self.answer.request.url.path

    @property
    def text(self) -> str:
        """As it was sent, markup and all."""
        return self.answer.text

    @property
    def words(self) -> str:
        """What somebody reads."""
        return " ".join("".join(self._read.words).split())

    @property
    def title(self) -> str:
        return " ".join("".join(self._read.heading).split())

    @property
    def links(self) -> dict[str, str]:
        """Address by words."""
        return {" ".join(said.split()): address for address, said in self._read.links}

    @property
    def forms(self) -> list[Form]:
        return self._read.forms

    def form(self, to: str) -> Form:
        """The one form of the page that is sent there."""
        found = [form for form in self.forms if urlsplit(form.action).path == to]
        assert len(found) == 1, f"{len(found)} forms lead to {to}, of {[form.action for form in self.forms]}"
        return found[0]

    @property
    def wrong(self) -> dict[str, str]:
        """What the summary on top says is wrong, by field."""
        return {address.removeprefix("#"): said for address, said in self._read.errors}


class Browser:
    """`cookies` are kept whatever their attributes say of transport: a browser trusts this machine, the
    library's jar does not.
    """

    def __init__(self, client: httpx2.AsyncClient, origin: str, cookies: Mapping[str, str]) -> None:
        self.client, self.origin, self.cookies = client, origin, dict(cookies)

    async def get(
        self, path: str, *, follow: bool = True, headers: Mapping[str, str] | None = None, **query: str
    ) -> Page:
        request = self.client.build_request("GET", path, params=query or None, headers=headers)
        return await self._page(request, follow=follow)

    async def fragment(self, path: str, **query: str) -> Page:
        """As the page's script asks for a part of it."""
        return await self.get(path, follow=False, headers={"HX-Request": "true"}, **query)

    async def post(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        key: str | None = None,
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
        **named: str,
    ) -> Page:
        """A form made by hand, with a key of its own; `headers` replace those of a form of our own pages, an
        empty one takes it away. `named` are headers as well: Sec_Fetch_Site="cross-site".
        """
        sent = {"_key": key or str(uuid7()), **(fields or {})}
        changed = {name.replace("_", "-"): value for name, value in named.items()}
        return await self._sent(path, sent, {**(headers or {}), **changed}, follow=follow)

    async def submit(
        self, page: Page, changes: Mapping[str, str | None] | None = None, *, to: str, follow: bool = True
    ) -> Page:
        """The page's own form, key and version and all, filled in; None takes a field away."""
        form = page.form(to)
        filled = {**form.fields, **(changes or {})}
        assert form.method == "post", "a form that asks is an address: get it"
        address = urljoin(str(page.answer.request.url), form.action)
        sent = {name: value for name, value in filled.items() if value is not None}
        return await self._sent(address, sent, {}, follow=follow)

    async def _sent(
        self, address: str, fields: Mapping[str, str], changed: Mapping[str, str], *, follow: bool
    ) -> Page:
        own = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **changed}
        headers = {name: value for name, value in own.items() if value}
        request = self.client.build_request("POST", address, data=dict(fields), headers=headers)
        return await self._page(request, follow=follow)

    async def _page(self, request: httpx2.Request, *, follow: bool) -> Page:
        way: list[httpx2.Response] = []
        answer = await self._answered(request)
        while follow and answer.is_redirect and len(way) < SENT_ON_MAX:
            way.append(answer)
            address = urljoin(str(answer.request.url), answer.headers["location"])
            answer = await self._answered(self.client.build_request("GET", address))
        return Page(answer, tuple(way))

    async def _answered(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept"] = _ACCEPT
        if self.cookies:
            request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.client.send(request, follow_redirects=False)
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer


def browser_of(
    app: FastAPI, subject: str | None = None, *, name: str = "", base_url: str = "http://127.0.0.1:8080"
) -> Browser:
    """Of one service, without a socket. `subject`: who they are to the sign-in; None: nobody yet."""
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=base_url)
    cookies = {} if subject is None else session_cookie(app.state.site, subject, name=name or subject)
    return Browser(client, base_url, cookies)


def browser_at(house: House, who: str | None = None) -> Browser:
    """Of the whole house. `who`: one of the demo's people by key, or any other subject."""
    client, cookies = house.client(), {}
    house.clients[f"browser {len(house.clients)}"] = client
    if who is not None:
        persona = persona_by_key(who)
        subject, name = (persona.subject, persona.name) if persona else (who, who)
        app: Any = next(iter(house.served.values())).app
        cookies = session_cookie(app.state.site, subject, name=name, issuer=house.provider.issuer)
    return Browser(client, house.url, cookies)


def session_cookie(site: Site, subject: str, *, name: str, issuer: str = ISSUER) -> dict[str, str]:
    """What the sign-in gives a browser."""
    response = Response()
    site.sessions.begin(response, issuer=issuer, subject=subject, name=name)
    made = SimpleCookie(response.headers["set-cookie"])
    return {cookie: morsel.value for cookie, morsel in made.items()}


_ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


class _Reading(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.heading: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.errors: list[tuple[str, str]] = []
        self.forms: list[Form] = []
        self._open: list[str] = []
        self._link: str | None = None
        self._select: str | None = None
        self._area: str | None = None
        self._in_errors = False

    def handle_starttag(self, tag: str, given: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in given}
        if tag not in _VOID:
            self._open.append(tag)
        if tag in _BREAKING:
            self.words.append(" ")
        match tag:
            case "a":
                self._link = said.get("href", "")
                self.links.append((self._link, ""))
            case "form":
                form = Form(said.get("action", ""), said.get("method", "get").lower(), said.get("id", ""))
                self.forms.append(form)
            case "section":
                self._in_errors = "errors" in said.get("class", "").split()
            case "input" | "select" | "option" | "textarea" | "button" if self.forms:
                self._control(tag, said, self.forms[-1])

    def _control(self, tag: str, said: dict[str, str], form: Form) -> None:
        name, value = said.get("name", ""), said.get("value", "")
        match tag:
            case "select":
                self._select = name
            case "option" if self._select:
                if self._select not in form.fields or "selected" in said:
                    form.fields[self._select] = value
            case "textarea":
                self._area, form.fields[name] = name, ""
            case "button":
                form.buttons.append(value)
            case "input" if name and (said.get("type") not in ("checkbox", "radio") or "checked" in said):
                form.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                continue
        match tag:
            case "a":
                self._link = None
            case "select":
                self._select = None
            case "textarea" if self._area is not None:
                self.forms[-1].fields[self._area] = self.forms[-1].fields[self._area].removeprefix("\n")
                self._area = None
            case "section":
                self._in_errors = False
            case "td" | "th" | "dt" | "dd" | "li" | "p":
                self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if _SILENT & set(self._open):
            return
        if self._area is not None:
            self.forms[-1].fields[self._area] += data
        self.words.append(data)
        if "h1" in self._open:
            self.heading.append(data)
        if self._link is not None:
            address, before = self.links[-1]
            self.links[-1] = (address, before + data)
            if self._in_errors:
                self.errors = [*(one for one in self.errors if one[0] != address), (address, before + data)]


_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_BREAKING = frozenset(
    {"p", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "dt", "dd", "br", "option", "section"}
)
