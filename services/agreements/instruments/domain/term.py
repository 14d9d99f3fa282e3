"""From which day until which day, both included, an agreement is to be in force."""

from dataclasses import dataclass
from datetime import date

from services.agreements.instruments.domain.dates import add_months
from services.agreements.instruments.domain.profiles import KindProfile
from shared.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class Term:
    """`starts_on` absent: from the day of the last signature."""

    starts_on: date | None
    ends_on: date

    def check(self, profile: KindProfile, today: date) -> None:
        """What a draft of today may say. A start in the past would need a legal approval, which is not
        among the things one can record yet.
        """
        start = self.starts_on or today
        if start < today:
            raise Invalid(
                "starts_in_the_past",
                "The first day has passed",
                field="starts_on",
                starts_on=start,
                today=today,
            )
        latest_start = add_months(today, profile.start_months_max)
        if start > latest_start:
            raise Invalid(
                "starts_too_late", "The first day is too far ahead", field="starts_on", latest=latest_start
            )
        latest = add_months(start, profile.term_months_max)
        if self.ends_on < start:
            raise Invalid(
                "ends_before_start", "The last day lies before the first", field="ends_on", first=start
            )
        if self.ends_on > latest:
            raise Invalid(
                "term_too_long",
                "The last day is later than this kind of agreement allows",
                field="ends_on",
                latest=latest,
                months_max=profile.term_months_max,
            )
