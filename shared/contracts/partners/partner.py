"""What the register says of a partner. People appear as ids; their names stay with the service that needs
them.
"""

from typing import Any, ClassVar

from pydantic import Field

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import PartnerKind, Visibility

_PARTNER = "ptn_01JD0000000000000000000001"


class _OfPartner(Event):
    visibility = Visibility.PARTNER
    partner_id: str

    def audience(self) -> tuple[str, ...]:
        return (f"partner:{self.partner_id}",)


class PartnerRegistered(_OfPartner):
    type: ClassVar[str] = "partner.registered.v1"
    example: ClassVar[dict[str, Any]] = {
        "partner_id": _PARTNER,
        "legal_name": "Slum Dwellers Federation of Kisumu",
        "name_key": "slum dwellers federation of kisumu",
        "kind": "civil_society",
        "country": "KEN",
        "contact_id": "prs_01JD0000000000000000000002",
    }
    legal_name: str
    name_key: str = Field(
        description="The name as duplicates are compared: case, accents and spacing removed"
    )
    kind: PartnerKind
    country: str = Field(description="ISO 3166-1 alpha-3")
    contact_id: str


class PartnerSuspended(_OfPartner):
    type: ClassVar[str] = "partner.suspended.v1"
    example: ClassVar[dict[str, Any]] = {
        "partner_id": _PARTNER,
        "reason": "Audited accounts are two years late",
    }
    reason: str


class PartnerReinstated(_OfPartner):
    type: ClassVar[str] = "partner.reinstated.v1"
    example: ClassVar[dict[str, Any]] = {"partner_id": _PARTNER, "reason": "The accounts were received"}
    reason: str


class PartnerContactErased(_OfPartner):
    """The contact person's details are gone from every service; the partner stays."""

    type: ClassVar[str] = "partner.contact_erased.v1"
    example: ClassVar[dict[str, Any]] = {
        "partner_id": _PARTNER,
        "contact_id": "prs_01JD0000000000000000000002",
        "reason": "At the person's request",
    }
    contact_id: str
    reason: str


EVENTS = (PartnerRegistered, PartnerSuspended, PartnerReinstated, PartnerContactErased)
