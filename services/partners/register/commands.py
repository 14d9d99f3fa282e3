"""What may be asked of the register."""

from pydantic import BaseModel, ConfigDict

from services.partners.people.commands import Details, Zone
from shared.contracts.vocabulary import PartnerKind


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegisterPartner(_Command):
    """`country`: ISO 3166-1, alpha-3 or alpha-2."""

    legal_name: str
    kind: PartnerKind
    country: str
    contact: Details


class SuspendPartner(_Command):
    partner_id: str
    reason: str


class ReinstatePartner(_Command):
    partner_id: str
    reason: str


class EraseContact(_Command):
    """The reason goes into the partner's stream for good: it must not name the person."""

    partner_id: str
    reason: str


class InviteUser(_Command):
    """Somebody new is to speak for the partner."""

    partner_id: str
    details: Details
    zone: Zone


class InviteAgain(_Command):
    """The contact person, or somebody invited for this partner before, is to speak for it."""

    partner_id: str
    person_id: str
    zone: Zone


class AnswerName(_Command):
    draft_id: str
    legal_name: str
    kind: PartnerKind


class AnswerCountry(_Command):
    draft_id: str
    country: str


class AnswerContact(_Command):
    draft_id: str
    contact: Details


class DiscardDraft(_Command):
    draft_id: str


class SendDraft(_Command):
    """What was answered becomes a partner, and the draft is gone."""

    draft_id: str
