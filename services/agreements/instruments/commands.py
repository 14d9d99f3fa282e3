"""What may be asked of an agreement."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.agreements.agreement import AgreementKind, Party

TITLE_LENGTH_MIN = 10
TITLE_LENGTH_MAX = 300
# In characters; the kind's profile limits the bytes.
TEXT_LENGTH_MAX = 200 * 1024
NAME_LENGTH_MIN = 2
NAME_LENGTH_MAX = 200


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DraftAgreement(_Command):
    partner_id: str
    kind: AgreementKind
    title: str = Field(min_length=TITLE_LENGTH_MIN, max_length=TITLE_LENGTH_MAX)
    text: str = Field(max_length=TEXT_LENGTH_MAX)
    starts_on: date | None
    ends_on: date


class ChangeText(_Command):
    agreement_id: str
    text: str = Field(max_length=TEXT_LENGTH_MAX)


class SendForSignature(_Command):
    agreement_id: str


class SignAgreement(_Command):
    """`name` is what the signatory signs with; it is kept with the evidence and nowhere else."""

    agreement_id: str
    party: Party
    text_sha256: str
    name: str = Field(min_length=NAME_LENGTH_MIN, max_length=NAME_LENGTH_MAX)
