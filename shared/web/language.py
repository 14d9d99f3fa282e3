"""In which language somebody reads: the one they chose, else the one the directory knows of them, else what
their browser asks for. All words come from gettext catalogues, which are compiled when they are first needed.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

COOKIE = "concord-language"
LOCALE_DIR = Path(__file__).with_name("locale")
DOMAIN = "concord"
# What a page can be read in, and what each calls itself.
LANGUAGES: Mapping[str, str] = {"en": "English", "ar": "العربية"}
USUAL = "en"
ACCEPT_LENGTH_MAX = 200
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})

current: ContextVar[NullTranslations] = ContextVar("concord_texts")


def direction_of(language: str) -> str:
    return "rtl" if language.split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def catalogue_file(language: str) -> Path:
    return LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def texts_in(language: str) -> NullTranslations:
    """English is what the code says, so it has no catalogue."""
    if language == USUAL:
        return NullTranslations()
    with catalogue_file(language).open("rb") as source:
        catalogue = read_po(source, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is said meanwhile is said in that language: also by code, before a template is reached."""
    before = current.set(texts_in(language))
    try:
        yield
    finally:
        current.reset(before)


def language_for(request: Request, known: str | None) -> str:
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    if known in LANGUAGES:
        return str(known)
    return _accepted(request.headers.get("accept-language", "")[:ACCEPT_LENGTH_MAX])


def _accepted(header: str) -> str:
    """The first one we have, in the order of preference; what cannot be read is not preferred."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((float(quality or 1), tag.lower().split("-")[0]))
        except ValueError:
            continue
    for _, language in sorted(wanted, key=lambda one: -one[0]):
        if language in LANGUAGES:
            return language
    return USUAL


def _(message: str) -> str:
    """In the language of the page that is being made; English outside of one."""
    return current.get(_PLAIN).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    return current.get(_PLAIN).ngettext(one, many, count)


def N_(message: str) -> str:
    """For the catalogue only: translated where it is shown."""
    return message


_PLAIN = NullTranslations()
