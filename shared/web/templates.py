"""Jinja's environment: the kit's own templates, and each room's under the room's name."""

from collections.abc import Mapping
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from shared.web import words
from shared.web.language import _, current, direction_of, ngettext, texts_in

_ROOMS: dict[str, FileSystemLoader] = {}


def add_templates(room: str, folder: Path) -> None:
    """Templates of a room are found as `<room>/<file>`."""
    _ROOMS[room] = FileSystemLoader(folder)


def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(Path(__file__).with_name("templates")), PrefixLoader(_ROOMS)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(_, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(word=words.word, tone=words.tone, direction_of=direction_of)
    return environment


def render(template: str, language: str, values: Mapping[str, Any]) -> str:
    return render_in(texts_in(language), template, values)


def render_in(texts: NullTranslations, template: str, values: Mapping[str, Any]) -> str:
    before = current.set(texts)
    try:
        return _JINJA.get_template(template).render(values)
    finally:
        current.reset(before)


_JINJA = _environment()
