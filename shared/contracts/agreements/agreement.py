"""The life of an agreement, as both sides and everyone told of it see it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Visibility

_AGREEMENT = "agr_01JD0000000000000000000010"
_PARTNER = "ptn_01JD0000000000000000000001"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class AgreementKind(StrEnum):
    MEMORANDUM = "mou"


class Party(StrEnum):
    ORGANISATION = "organisation"
    PARTNER = "partner"


class HoldKind(StrEnum):
    PARTNER_SUSPENDED = "partner_suspended"


class _OfAgreement(Event):
    visibility = Visibility.PARTNER
    agreement_id: str
    partner_id: str

    def audience(self) -> tuple[str, ...]:
        return (f"partner:{self.partner_id}",)


class AgreementDrafted(_OfAgreement):
    """A draft is ours alone until it is sent."""

    type: ClassVar[str] = "agreement.drafted.v1"
    visibility = Visibility.SECRETARIAT
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "kind": "mou",
        "title": "Participatory slum upgrading in Kisumu",
        "text_sha256": _HASH,
        "starts_on": None,
        "ends_on": "2030-12-31",
        "officer_id": "prs_01JD0000000000000000000002",
    }
    kind: AgreementKind
    title: str
    text_sha256: str
    starts_on: date | None = Field(description="Absent: in force from the last signature")
    ends_on: date
    officer_id: str


class AgreementSentForSignature(_OfAgreement):
    """The text is frozen: from here on every signature binds this hash."""

    type: ClassVar[str] = "agreement.sent_for_signature.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "ref": "UNH/MOU/2027/0041",
        "title": "Participatory slum upgrading in Kisumu",
        "text_sha256": _HASH,
        "closes_at": "2027-03-31T21:00:00Z",
    }
    ref: str
    title: str
    text_sha256: str
    closes_at: datetime


class AgreementSignedByParty(_OfAgreement):
    type: ClassVar[str] = "agreement.signed_by_party.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "ref": "UNH/MOU/2027/0041",
        "party": "partner",
        "signatory_id": "prs_01JD0000000000000000000002",
        "evidence_id": "evd_01JD0000000000000000000011",
        "text_sha256": _HASH,
        "signed_at": "2027-01-15T08:00:00Z",
    }
    ref: str
    party: Party
    signatory_id: str
    evidence_id: str
    text_sha256: str
    signed_at: datetime


class AgreementFullySigned(_OfAgreement):
    type: ClassVar[str] = "agreement.fully_signed.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "ref": "UNH/MOU/2027/0041",
        "signed_at": "2027-01-15T08:00:00Z",
    }
    ref: str
    signed_at: datetime


class AgreementEnteredIntoForce(_OfAgreement):
    type: ClassVar[str] = "agreement.entered_into_force.v1"
    visibility = Visibility.PUBLIC
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "ref": "UNH/MOU/2027/0041",
        "title": "Participatory slum upgrading in Kisumu",
        "effective_on": "2027-01-15",
        "ends_on": "2030-12-31",
    }
    ref: str
    title: str
    effective_on: date
    ends_on: date


class AgreementExpired(_OfAgreement):
    """`ends_on` was the last day in force."""

    type: ClassVar[str] = "agreement.expired.v1"
    visibility = Visibility.PUBLIC
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "ref": "UNH/MOU/2027/0041",
        "ends_on": "2030-12-31",
    }
    ref: str
    ends_on: date


class AgreementLapsed(_OfAgreement):
    """The signing round closed before everybody had signed."""

    type: ClassVar[str] = "agreement.lapsed.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "ref": "UNH/MOU/2027/0041",
        "closed_at": "2027-03-31T21:00:00Z",
    }
    ref: str
    closed_at: datetime


class AgreementHoldOpened(_OfAgreement):
    type: ClassVar[str] = "agreement.hold_opened.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "kind": "partner_suspended",
        "cause_event_id": "01938a3c-0000-7000-8000-000000000000",
    }
    kind: HoldKind
    cause_event_id: str


class AgreementHoldClosed(_OfAgreement):
    type: ClassVar[str] = "agreement.hold_closed.v1"
    example: ClassVar[dict[str, Any]] = AgreementHoldOpened.example
    kind: HoldKind
    cause_event_id: str


EVENTS = (
    AgreementDrafted,
    AgreementSentForSignature,
    AgreementSignedByParty,
    AgreementFullySigned,
    AgreementEnteredIntoForce,
    AgreementExpired,
    AgreementLapsed,
    AgreementHoldOpened,
    AgreementHoldClosed,
)
