"""Dates, moments, numbers and countries as the reader writes them. Every moment names its zone: what is due
at 17:00 is due at another time somewhere else.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time, get_timezone_gmt, get_timezone_name
from babel.numbers import format_decimal
from markupsafe import Markup

from shared.contracts.countries import COUNTRIES
from shared.contracts.envelope import wire_time
from shared.web.language import USUAL, _, ngettext

_SOON = timedelta(days=1)
_NEAR = timedelta(days=4)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@dataclass(frozen=True)
class TimeLeft:
    """`count` of `unit` until a moment; `tone`: soon, near or plain."""

    count: str
    unit: str
    tone: str


@dataclass(frozen=True, kw_only=True)
class Formats:
    language: str
    zone: str
    now: datetime

    @property
    def locale(self) -> Locale:
        return _locale(self.language)

    def date(self, value: date | None) -> Markup:
        if value is None:
            return Markup()
        return Markup('<time datetime="{}">{}</time>').format(
            value.isoformat(), format_date(value, "d MMM y", locale=self.locale)
        )

    def moment(self, value: datetime | None, zone: str | None = None) -> Markup:
        """In the reader's zone, or another; always with its name."""
        if value is None:
            return Markup()
        at = value.astimezone(ZoneInfo(zone or self.zone))
        text = format_datetime(at, "d MMM y, HH:mm", locale=self.locale)
        return Markup('<time datetime="{}">{} <span class="zone">{}</span></time>').format(
            wire_time(value.astimezone(UTC)), text, self.zone_name(at)
        )

    def clock(self, value: datetime, zone: str | None = None) -> str:
        return str(format_time(value.astimezone(ZoneInfo(zone or self.zone)), "HH:mm", locale=self.locale))

    def zone_name(self, at: datetime) -> str:
        name = get_timezone_name(at, width="short", locale=self.locale)
        if name[0].isalpha():
            return str(name)
        return str(get_timezone_gmt(at, width="long", locale=self.locale))

    def number(self, value: int | float) -> str:
        return str(format_decimal(value, locale=self.locale))

    def country(self, alpha_3: str | None) -> str:
        country = COUNTRIES.get(alpha_3 or "")
        if country is None:
            return alpha_3 or ""
        if self.language == USUAL:  # Our own table decides; other languages have the library's names.
            return country.name
        return str(self.locale.territories.get(country.alpha2, country.name))

    def language_name(self, code: str) -> str:
        return str(self.locale.languages.get(code.split("-")[0], code))

    def time_left(self, due: datetime | None) -> TimeLeft | None:
        if due is None:
            return None
        left = due - self.now
        tone = "soon" if left <= _SOON else "near" if left <= _NEAR else "plain"
        if left < timedelta():
            return TimeLeft(_("Late"), _("it was due"), tone)
        if left < timedelta(hours=1):
            minutes = int(left.total_seconds() // 60)
            return TimeLeft(self.number(minutes), ngettext("minute left", "minutes left", minutes), tone)
        if left < timedelta(days=1):
            hours = int(left.total_seconds() // 3600)
            return TimeLeft(self.number(hours), ngettext("hour left", "hours left", hours), tone)
        days = left.days
        return TimeLeft(self.number(days), ngettext("day left", "days left", days), tone)
