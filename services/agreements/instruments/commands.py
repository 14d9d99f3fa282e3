"""What may be asked of an agreement."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.agreements.agreement import AgreementKind, Party

TITLE_LENGTH_MIN = 10
TITLE_LENGTH_MAX = 300
NAME_LENGTH_MIN = 2
NAME_LENGTH_MAX = 200


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DraftAgreement(_Command):
    partner_id: str
    kind: AgreementKind
    title: str = Field(min_length=TITLE_LENGTH_MIN, max_length=TITLE_LENGTH_MAX)
    text: str
    starts_on: date | None
    ends_on: date


class ChangeText(_Command):
    agreement_id: str
    text: str


class SendForSignature(_Command):
    agreement_id: str


class SignAgreement(_Command):
    """`name` is what the signatory signs with; it is kept with the evidence and nowhere else."""

    agreement_id: str
    party: Party
    text_sha256: str
    name: str = Field(min_length=NAME_LENGTH_MIN, max_length=NAME_LENGTH_MAX)
