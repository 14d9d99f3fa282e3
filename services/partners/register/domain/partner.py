"""A partner of the organisation, and its standing with us: registered, suspended, reinstated.

Its contact person is an id here. Who that is stands in `people` and can be erased; the partner stays.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from services.partners.register.domain.name_key import name_key
from shared.contracts import countries
from shared.contracts.envelope import Event
from shared.contracts.partners.partner import (
    PartnerContactErased,
    PartnerRegistered,
    PartnerReinstated,
    PartnerSuspended,
)
from shared.contracts.vocabulary import PartnerKind
from shared.errors import Invalid

LEGAL_NAME_LENGTH_MIN = 2
LEGAL_NAME_LENGTH_MAX = 300
REASON_LENGTH_MIN = 10
REASON_LENGTH_MAX = 2_000


class PartnerStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, kw_only=True)
class Partner:
    id: str
    legal_name: str
    name_key: str
    kind: PartnerKind
    country: str
    status: PartnerStatus
    contact_id: str | None

    @staticmethod
    def register(
        id: str, *, legal_name: str, kind: PartnerKind, country: str, contact_id: str
    ) -> list[Event]:
        name = checked_name(legal_name)
        registered = PartnerRegistered(
            partner_id=id,
            legal_name=name,
            name_key=name_key(name),
            kind=kind,
            country=checked_country(country),
            contact_id=contact_id,
        )
        return [registered]

    def suspend(self, reason: str) -> list[Event]:
        checked = _reason(reason)
        if self.status is PartnerStatus.SUSPENDED:
            return []
        return [PartnerSuspended(partner_id=self.id, reason=checked)]

    def reinstate(self, reason: str) -> list[Event]:
        checked = _reason(reason)
        if self.status is PartnerStatus.ACTIVE:
            return []
        return [PartnerReinstated(partner_id=self.id, reason=checked)]

    def erase_contact(self, reason: str) -> list[Event]:
        checked = _reason(reason)
        if self.contact_id is None:
            return []
        return [PartnerContactErased(partner_id=self.id, contact_id=self.contact_id, reason=checked)]

    @classmethod
    def begin(cls, event: Event) -> "Partner":
        assert isinstance(event, PartnerRegistered), f"A partner does not begin with {event.type}"
        return cls(
            id=event.partner_id,
            legal_name=event.legal_name,
            name_key=event.name_key,
            kind=event.kind,
            country=event.country,
            status=PartnerStatus.ACTIVE,
            contact_id=event.contact_id,
        )

    def apply(self, event: Event) -> "Partner":
        match event:
            case PartnerSuspended():
                return replace(self, status=PartnerStatus.SUSPENDED)
            case PartnerReinstated():
                return replace(self, status=PartnerStatus.ACTIVE)
            case PartnerContactErased():
                return replace(self, contact_id=None)
        raise AssertionError(f"A partner cannot apply {event.type}")


def checked_name(legal_name: str) -> str:
    name = legal_name.strip()
    if not LEGAL_NAME_LENGTH_MIN <= len(name) <= LEGAL_NAME_LENGTH_MAX:
        raise Invalid(
            "legal_name_length",
            "A legal name has 2 to 300 characters",
            field="legal_name",
            length_min=LEGAL_NAME_LENGTH_MIN,
            length_max=LEGAL_NAME_LENGTH_MAX,
        )
    if not name_key(name):
        raise Invalid(
            "legal_name_without_letters",
            "A legal name has at least one letter or digit",
            field="legal_name",
        )
    return name


def checked_country(code: str) -> str:
    """One spelling is kept, alpha-3; alpha-2 is understood, as a spreadsheet may have it."""
    country = countries.by_code(code.strip().upper())
    if country is None:
        raise Invalid(
            "country_unknown", "This is no country code of ISO 3166-1", field="country", country=code[:8]
        )
    return country.alpha3


def _reason(reason: str) -> str:
    text = reason.strip()
    if not REASON_LENGTH_MIN <= len(text) <= REASON_LENGTH_MAX:
        raise Invalid(
            "reason_length",
            "A reason has 10 to 2,000 characters",
            field="reason",
            length_min=REASON_LENGTH_MIN,
            length_max=REASON_LENGTH_MAX,
        )
    return text
