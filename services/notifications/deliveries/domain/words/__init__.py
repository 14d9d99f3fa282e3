"""The words of notices in the six languages, and how values are put into them.

Each language has the same keys with the same values in them; a test holds that. Values come from people and
from other systems, so each is stripped of what could reorder the text around it and set apart from it by
isolates (U+2068, U+2069): a name in one direction inside a sentence of the other stays a name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notifications.deliveries.domain.words import ar, en, es, fr, ru, zh

WORDS_VERSION = 1
FALLBACK = "en"
WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "ar": ar.WORDS,
    "en": en.WORDS,
    "es": es.WORDS,
    "fr": fr.WORDS,
    "ru": ru.WORDS,
    "zh": zh.WORDS,
}
RIGHT_TO_LEFT = frozenset({"ar"})
VALUE_CHARACTERS_MAX = 500
VALUE_IN_SUBJECT_CHARACTERS_MAX = 100

_REORDERING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Text:
    """What is shown. `language` may differ from the one asked for: then those words are not there yet."""

    language: str
    subject: str
    body: str


def text_of(content: Mapping[str, str], *, language: str, zone: str = "UTC") -> Text:
    """The notice in a language, its instants in the reader's time zone."""
    chosen = language if language in WORDS else FALLBACK
    subject, body = WORDS[chosen][content["words"]]
    plain = {name: _plain(_in_zone(value, zone)) for name, value in content.items()}
    return Text(
        language=chosen,
        subject=subject.format_map(_values(plain, VALUE_IN_SUBJECT_CHARACTERS_MAX)),
        body=body.format_map(_values(plain, VALUE_CHARACTERS_MAX)),
    )


class _Values(dict[str, str]):
    """An event of an older time may lack a value that the words now have a place for."""

    def __missing__(self, name: str) -> str:
        return "–"


def _values(plain: Mapping[str, str], characters_max: int) -> _Values:
    return _Values(
        {name: f"\u2068{_shortened(value, characters_max)}\u2069" for name, value in plain.items()}
    )


def _shortened(value: str, characters_max: int) -> str:
    return value if len(value) <= characters_max else f"{value[: characters_max - 1]}…"


def _plain(value: str) -> str:
    return _CONTROL.sub(" ", _REORDERING.sub("", value))


def _in_zone(value: str, zone: str) -> str:
    if not _INSTANT.fullmatch(value):
        return value
    try:
        where, name = ZoneInfo(zone), zone
    except (ZoneInfoNotFoundError, ValueError):
        where, name = ZoneInfo("UTC"), "UTC"
    return f"{datetime.fromisoformat(value).astimezone(UTC).astimezone(where):%Y-%m-%d %H:%M} ({name})"
