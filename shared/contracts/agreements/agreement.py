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
_OTHER_HASH = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"


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


class _OfDraft(_OfAgreement):
    """A draft is ours alone until it is sent: not even its being there is told to the partner."""

    visibility = Visibility.SECRETARIAT

    def audience(self) -> tuple[str, ...]:
        return ()


class AgreementDrafted(_OfDraft):
    """`policyref` is the version of the kind's profile that this agreement keeps for its whole life."""

    type: ClassVar[str] = "agreement.drafted.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "kind": "mou",
        "title": "Participatory slum upgrading in Kisumu",
        "text_sha256": _HASH,
        "starts_on": None,
        "ends_on": "2030-12-31",
        "officer_id": "prs_01JD0000000000000000000002",
        "country": "KEN",
        "policyref": "mou/1",
    }
    kind: AgreementKind
    title: str
    text_sha256: str
    starts_on: date | None = Field(description="Absent: in force from the last signature")
    ends_on: date
    officer_id: str
    country: str = Field(description="The partner's, ISO 3166-1 alpha-3")
    policyref: str


class AgreementTextChanged(_OfDraft):
    """Only a draft's text can change; its hashes say from what to what."""

    type: ClassVar[str] = "agreement.text_changed.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "previous_sha256": _OTHER_HASH,
        "text_sha256": _HASH,
    }
    previous_sha256: str
    text_sha256: str


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
        "on_behalf_of": None,
        "evidence_id": "evd_01JD0000000000000000000011",
        "evidence_sha256": _OTHER_HASH,
        "text_sha256": _HASH,
        "signed_at": "2027-01-15T08:00:00Z",
    }
    ref: str
    party: Party
    signatory_id: str
    on_behalf_of: str | None = Field(description="Who lent the signatory the role under which they signed")
    evidence_id: str
    evidence_sha256: str = Field(description="The link in the agreement's chain of evidence")
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


class _OfHold(_OfAgreement):
    """A hold blocks what would move the agreement forward. Drafts have no `ref` yet and no partner in their
    audience.
    """

    kind: HoldKind
    cause_event_id: str
    ref: str | None = None

    def audience(self) -> tuple[str, ...]:
        return super().audience() if self.ref else ()


class AgreementHoldOpened(_OfHold):
    type: ClassVar[str] = "agreement.hold_opened.v1"
    example: ClassVar[dict[str, Any]] = {
        "agreement_id": _AGREEMENT,
        "partner_id": _PARTNER,
        "kind": "partner_suspended",
        "cause_event_id": "01938a3c-0000-7000-8000-000000000000",
        "ref": "UNH/MOU/2027/0041",
    }


class AgreementHoldClosed(_OfHold):
    type: ClassVar[str] = "agreement.hold_closed.v1"
    example: ClassVar[dict[str, Any]] = AgreementHoldOpened.example


EVENTS = (
    AgreementDrafted,
    AgreementTextChanged,
    AgreementSentForSignature,
    AgreementSignedByParty,
    AgreementFullySigned,
    AgreementEnteredIntoForce,
    AgreementExpired,
    AgreementLapsed,
    AgreementHoldOpened,
    AgreementHoldClosed,
)
