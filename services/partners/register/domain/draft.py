"""A registration that somebody has begun: answers to three groups of questions, in any order, over days.

A draft is no partner and has no events: it is changed in place and leaves nothing when it is sent, discarded
or purged. What is answered here has been checked as far as it can be alone; whether the name is free in its
country is known only when it is sent.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from services.partners.register.domain.partner import checked_country, checked_name
from shared.contracts.vocabulary import PartnerKind
from shared.errors import Refusal

DRAFT_KEPT = timedelta(days=90)
DRAFTS_MAX = 50


class Section(StrEnum):
    """The groups of questions, in the order in which they are asked."""

    NAME = "name"
    COUNTRY = "country"
    CONTACT = "contact"


@dataclass(frozen=True, kw_only=True)
class DraftContact:
    name: str
    email: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """`version` grows with every answer, so that of two who answer at once the second one is asked again."""

    id: str
    owner_id: str
    version: int
    begun_at: datetime
    touched_at: datetime
    legal_name: str | None = None
    kind: PartnerKind | None = None
    country: str | None = None
    contact: DraftContact | None = None

    @classmethod
    def begin(cls, id: str, *, owner_id: str, now: datetime) -> Self:
        return cls(id=id, owner_id=owner_id, version=1, begun_at=now, touched_at=now)

    def named(self, legal_name: str, kind: PartnerKind, *, now: datetime) -> "Draft":
        return replace(self._touched(now), legal_name=checked_name(legal_name), kind=kind)

    def placed(self, country: str, *, now: datetime) -> "Draft":
        return replace(self._touched(now), country=checked_country(country))

    def contacted(self, contact: DraftContact, *, now: datetime) -> "Draft":
        return replace(self._touched(now), contact=contact)

    def is_answered(self, section: Section) -> bool:
        answers = {
            Section.NAME: self.legal_name,
            Section.COUNTRY: self.country,
            Section.CONTACT: self.contact,
        }
        return answers[section] is not None

    @property
    def open_sections(self) -> tuple[Section, ...]:
        return tuple(section for section in Section if not self.is_answered(section))

    def require_complete(self) -> None:
        if self.open_sections:
            raise Refusal(
                "draft_incomplete",
                "Answer every group of questions before you send it",
                open_sections=list(self.open_sections),
            )

    @property
    def kept_until(self) -> datetime:
        return self.touched_at + DRAFT_KEPT

    def _touched(self, now: datetime) -> "Draft":
        return replace(self, version=self.version + 1, touched_at=now)
