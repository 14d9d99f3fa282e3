"""Fields that forms about people have in common."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, get_args
from zoneinfo import available_timezones

from babel.core import get_global
from pydantic import ValidationError, WrapValidator
from pydantic_core import PydanticCustomError

from services.partners.people.commands import Email, Language
from shared.contracts.countries import COUNTRIES
from shared.web.formats import Formats
from shared.web.language import N_

_NO_ADDRESS = N_("Write one address, such as name@example.org")


def _said_plainly(value: Any, rule: Callable[[Any], Any]) -> Any:
    try:
        return rule(value)
    except ValidationError as error:
        if error.errors()[0]["type"] == "string_pattern_mismatch":
            raise PydanticCustomError("no_address", _NO_ADDRESS) from None
        raise


EmailField = Annotated[Email, WrapValidator(_said_plainly)]


def language_options(formats: Formats) -> list[tuple[str, str]]:
    return [(code, formats.language_name(code)) for code in get_args(Language)]


@cache
def zone_options() -> tuple[tuple[str, str], ...]:
    """Places rather than offsets: a place keeps its time when the clocks there change."""
    places = (zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return tuple((zone, zone.replace("_", " ")) for zone in ("UTC", *sorted(places)))


def usual_zone(country: str, otherwise: str) -> str:
    """The zone of a country that has one; else what is given."""
    known = COUNTRIES.get(country)
    zones = get_global("territory_zones").get(known.alpha2 if known else "", ())
    return zones[0] if len(zones) == 1 and zones[0] in available_timezones() else otherwise
