"""The countries to choose from, in the reader's language and order."""

import unicodedata

from shared.contracts.countries import COUNTRIES
from shared.web.formats import Formats
from shared.web.language import LANGUAGES

_made: dict[str, list[tuple[str, str]]] = {}


def country_options(formats: Formats) -> list[tuple[str, str]]:
    """(alpha-3, name) pairs. Made once a language: there are few of those."""
    assert formats.language in LANGUAGES
    if formats.language not in _made:
        named = [(code, formats.country(code)) for code in COUNTRIES]
        _made[formats.language] = sorted(named, key=lambda one: _order(one[1]))
    return _made[formats.language]


def _order(name: str) -> str:
    """Without accents: Åland stands at A."""
    plain = unicodedata.normalize("NFKD", name)
    return "".join(one for one in plain if not unicodedata.combining(one)).casefold()
