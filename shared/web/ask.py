"""What a page's endpoint is given: who asks, what they sent, and the ways to answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from shared.context import Actor
from shared.ids import uuid7
from shared.storage.repository import Unit
from shared.web.formats import Formats
from shared.web.forms import KEY_FIELD, FieldError, FormModel, model_of
from shared.web.language import LANGUAGES, direction_of
from shared.web.navigation import navigation_for, place_of
from shared.web.sessions import Session
from shared.web.site import SIGN_OUT, Site, sign_in_address
from shared.web.templates import render

F = TypeVar("F", bound=FormModel)

SEE_OTHER = 303
# A page holds what was true when it was made; whoever goes back to it sees it made anew.
_HEADERS = {"Cache-Control": "no-store", "Vary": "Cookie, HX-Request"}


@dataclass(kw_only=True)
class Ask:
    """One request of a browser. `work` is the unit of the request, as in routes.py: what a POST stages in it
    is committed together with the answer. `sent` and `errors` are there where a form is shown again.
    """

    request: Request
    work: Unit
    site: Site
    session: Session | None
    language: str
    sent: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()
    # Somebody else changed it since the form was shown.
    is_stale: bool = False

    @property
    def actor(self) -> Actor:
        return self.work.context.actor

    @property
    def is_fragment(self) -> bool:
        """htmx asks for a part of a page that is open already."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def direction(self) -> str:
        return direction_of(self.language)

    @cached_property
    def formats(self) -> Formats:
        return Formats(language=self.language, zone=self.actor.zone, now=self.work.context.now)

    @cached_property
    def key(self) -> str:
        """The Idempotency-Key of the forms of this page; of a form that is shown again, still the same."""
        return self.sent.get(KEY_FIELD) or str(uuid7())

    def path(self, name: str) -> str:
        value = self.request.path_params[name]
        assert isinstance(value, str)
        return value

    def form(self, model: type[F]) -> F:
        return model_of(model, self.sent)

    def query(self, model: type[F]) -> F:
        return model_of(model, self.request.query_params)

    def may(self, permission: str) -> bool:
        return self.actor.may(permission)

    def value(self, name: str, current: object = "") -> str:
        """What a field shows: what was sent, where something was."""
        return self.sent.get(name, "" if current is None else str(current))

    def error(self, name: str) -> str:
        return next((one.message for one in self.errors if one.field == name), "")

    def address(self, **changes: object) -> str:
        """This page's own address with other parameters; None takes one away."""
        query = {**self.request.query_params, **changes}
        kept = urlencode({name: value for name, value in query.items() if value not in (None, "")})
        return f"{self.request.url.path}?{kept}" if kept else self.request.url.path

    @property
    def around(self) -> dict[str, Any]:
        """What layout.html shows around a page."""
        return {
            **self.within,
            "groups": navigation_for(self.actor, demo=self.site.demo) if self.session else (),
            "place": place_of(self.request.url.path),
            "languages": LANGUAGES,
            "here": self.address(),
            "sign_in": sign_in_address(self.address()),
            "sign_out": SIGN_OUT,
        }

    @property
    def within(self) -> dict[str, Any]:
        """What every template may use, that of a fragment too."""
        return {"ask": self, "site": self.site, "fmt": self.formats}

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A whole page. `template` extends layout.html."""
        text = render(template, self.language, {**self.around, **values})
        return HTMLResponse(text, status_code=status, headers={**_HEADERS, **self.site.headers})

    def fragment(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A part of a page, which stands alone in its template."""
        text = render(template, self.language, {**self.within, **values})
        return HTMLResponse(text, status_code=status, headers={**_HEADERS, **self.site.headers})

    def see_other(self, path: str, *, done: str = "") -> Response:
        """After a form: the page that shows what came of it. `done` is which message that page says."""
        address = f"{path}{'&' if '?' in path else '?'}{urlencode({'done': done})}" if done else path
        return RedirectResponse(address, status_code=SEE_OTHER)
