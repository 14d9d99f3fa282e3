"""With every text of the catalogues between brackets, a page of the kit shows no word outside of them: each
can be said in another language.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from shared.clock import SystemClock
from shared.context import Actor, Context
from shared.contracts.vocabulary import Grant, Role
from shared.errors import Forbidden
from shared.settings import Settings
from shared.storage.repository import Unit
from shared.web.api_pages import DEMO_GRANT, OFFERS
from shared.web.ask import Ask
from shared.web.forms import FieldError
from shared.web.sessions import Session
from shared.web.site import site_of
from shared.web.static_files import static_files
from shared.web.templates import add_templates, render_in

OPEN, CLOSE = "⟦", "⟧"
NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
INSIDE = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
# Names, what a machine is told, and what the languages call themselves.
OF_NO_LANGUAGE = re.compile(
    r"Concord|Nia Adeola|UTC|GMT|EAT|E[SD]T|[A-Z][a-z]{2} \d{4}|/[a-z]+/v1/\S+|not_permitted|English|العربية"
)
SPOKEN_ATTRIBUTES = ("aria-label", "placeholder", "title", "alt")
ALL_COMPONENTS = """
{% extends "layout.html" %}
{% import "ui.html" as ui with context %}
{% block title %}{{ _("Title") }}{% endblock %}
{% block main %}
{% call ui.head(_("Title"), [("/", _("Back"))]) %}{{ _("Lead") }}{% endcall %}
{{ ui.errors() }}
{% call ui.form("/", version=3) %}
{{ ui.text("name", _("Name"), "1", _("Hint")) }}
{{ ui.area("reason", _("Why"), "1") }}
{{ ui.select("kind", _("Kind"), [("1", _("One"))], empty=_("None")) }}
{{ ui.radios("side", _("Side"), [("1", _("One"), _("More"))]) }}
{{ ui.checkbox("sure", _("Sure"), hint=_("Hint")) }}
{{ ui.day("ends_on", _("Ends"), None, _("Hint")) }}
{% endcall %}
{{ ui.state("good", _("Good")) }} {{ ui.facts([(_("Term"), _("Said"))]) }}
{{ ui.pager("1") }} {{ ui.fragment("/", "/", _("Elsewhere")) }}
{{ ui.way([("here", _("Draft"), "")], _("Way")) }}
{{ ui.clock(opens, closes, _("Silence")) }}
{{ ui.task_list([("/", _("Task"), "wait", _("Open"))]) }}
{% call ui.empty(_("Nothing")) %}{{ _("Begin") }}{% endcall %}
{% endblock %}
"""


class Bracketed(NullTranslations):
    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, one: str, many: str, count: int) -> str:
        return self.gettext(one if count == 1 else many)


class Shown(HTMLParser):
    """The texts that a person sees or hears."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "pre", "svg")
        self.texts += [value or "" for name, value in attrs if name in SPOKEN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "pre", "svg")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.texts.append(data)


def untranslated(page: str) -> Iterator[str]:
    for text in Shown(page).texts:
        bare = text
        while (less := INSIDE.sub("", bare)) != bare:  # A text may be filled in with another one.
            bare = less
        if re.search(r"[^\W\d_]{2,}", OF_NO_LANGUAGE.sub("", bare)):
            yield text.strip()


def asked(*, signed_in: bool = True) -> Ask:
    settings = Settings(demo=True)
    actor = Actor(id="prs_1", grants=tuple(Grant(role) for role in Role), zone="Africa/Nairobi")
    context = Context(actor=actor, now=NOON, recorded_at=NOON, correlation_id="1")
    session = Session(issuer="1", subject="1", name="Nia Adeola", started_at=NOON, ends_at=NOON)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"cursor=1", "headers": []}
    return Ask(
        request=Request({**scope, "app": Starlette()}),
        work=Unit(cast(Any, None), context),
        site=site_of("partners", settings, SystemClock(), static_files(settings.web_folder)),
        session=session if signed_in else None,
        language="en",
    )


def bracketed(ask: Ask, template: str, **values: Any) -> str:
    return render_in(Bracketed(), template, {**ask.around, **values})


@pytest.mark.parametrize("signed_in", [True, False])
def test_the_frame_and_a_refusal(signed_in: bool) -> None:
    refusal = Forbidden("not_permitted", "You may not do this")
    page = bracketed(
        asked(signed_in=signed_in),
        "refused.html",
        title="This is not yours to do",
        message=refusal.message,
        code=refusal.code,
        correlation_id="01938",
    )
    assert list(untranslated(page)) == []


def test_a_form_that_was_kept() -> None:
    page = bracketed(asked(), "kept_form.html", address="/", fields={"1": "2"})
    assert list(untranslated(page)) == []


@pytest.mark.parametrize("demo", [True, False])
def test_the_page_of_the_api(demo: bool) -> None:
    ask = asked()
    ask.site = replace(ask.site, demo=demo)
    page = bracketed(ask, "api.html", offers=OFFERS, issuer="", grant=DEMO_GRANT)
    assert list(untranslated(page)) == []


def test_the_page_of_one_api() -> None:
    page = bracketed(asked(), "api_docs.html", offer=OFFERS[0], api="/api", example_key="1")
    assert list(untranslated(page)) == []


@pytest.mark.parametrize("is_wrong", [False, True])
def test_every_component(tmp_path: Path, is_wrong: bool) -> None:
    (tmp_path / "all.html").write_text(ALL_COMPONENTS)
    add_templates("tried", tmp_path)
    ask = asked()
    if is_wrong:
        ask.sent, ask.is_stale = {"name": "2", "reason": "2"}, True
        message = f"{OPEN}This is needed{CLOSE}"
        ask.errors = tuple(FieldError(name, message) for name in ("name", "side", "sure", "ends_on", ""))
    page = bracketed(ask, "tried/all.html", opens=NOON, closes=NOON + timedelta(days=1))
    assert list(untranslated(page)) == []


def test_a_text_outside_of_a_catalogue_is_seen() -> None:
    assert list(untranslated(f"<p title='Seen'>{OPEN}Not seen{CLOSE} Seen too</p>")) == [
        "Seen",
        f"{OPEN}Not seen{CLOSE} Seen too",
    ]
