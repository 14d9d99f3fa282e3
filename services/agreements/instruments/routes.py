"""HTTP in: agreements, their texts and signatures, and what proves them."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from services.agreements.instruments import handlers, queries
from services.agreements.instruments.commands import (
    NAME_LENGTH_MAX,
    NAME_LENGTH_MIN,
    TEXT_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    TITLE_LENGTH_MIN,
    ChangeText,
    DraftAgreement,
    SendForSignature,
    SignAgreement,
)
from services.agreements.instruments.documents import agreements
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.round import Signature
from services.agreements.instruments.domain.states import Status
from services.agreements.standing.domain.reach import Reach
from shared.contracts.agreements.agreement import AgreementKind, HoldKind, Party
from shared.http.app import Answer, Body, Lines, Routes, Work
from shared.http.paging import Page, Paging, page_of
from shared.storage.repository import Unit

routes = Routes("agreements", room="instruments")

SHA256 = "^[0-9a-f]{64}$"
ALREADY_THERE = 200


class AgreementIn(Body):
    """`starts_on` null: in force from the last signature. Dates are days in Nairobi, the last included."""

    partner_id: str = Field(max_length=40)
    kind: AgreementKind
    title: str = Field(min_length=TITLE_LENGTH_MIN, max_length=TITLE_LENGTH_MAX)
    text: Lines = Field(max_length=TEXT_LENGTH_MAX)
    starts_on: date | None = None
    ends_on: date


class AgreementTextIn(Body):
    text: Lines = Field(max_length=TEXT_LENGTH_MAX)


class SignatureIn(Body):
    """`text_sha256`: of the text you have read. `name`: yours, as you sign with it; kept as evidence."""

    party: Party
    text_sha256: str = Field(pattern=SHA256, max_length=64)
    name: str = Field(min_length=NAME_LENGTH_MIN, max_length=NAME_LENGTH_MAX)


class SignatureOut(Answer):
    party: Party
    signatory_id: str
    on_behalf_of: str | None
    evidence_id: str
    evidence_sha256: str
    signed_at: datetime


class AgreementOut(Answer):
    id: str
    version: int
    ref: str | None
    kind: AgreementKind
    title: str
    status: Status
    partner_id: str
    officer_id: str
    policy: str
    text_sha256: str
    starts_on: date | None
    ends_on: date
    effective_on: date | None
    closes_at: datetime | None
    holds: list[HoldKind]
    signatures: list[SignatureOut]


class AgreementTextOut(Answer):
    agreement_id: str
    version: int
    sha256: str
    content: str


class EvidenceRecordOut(Answer):
    """`sha256` is that of all the fields above it as JSON with sorted keys, without spaces, in UTF-8."""

    agreement_id: str
    evidence_id: str
    method: str
    name_sha256: str
    number: int
    on_behalf_of: str | None
    party: Party
    previous_sha256: str
    signatory_id: str
    signed_at: str
    signed_on: str
    text_sha256: str
    wording: str
    zone: str
    sha256: str


class EvidenceOut(EvidenceRecordOut):
    """`name_sha256` is that of the salt followed by the name."""

    name: str
    name_salt: str


class ManifestOut(Answer):
    """What an outsider needs to check a copy: the text's hash, the chain of evidence, the record's hash."""

    agreement_id: str
    version: int
    ref: str | None
    status: Status
    text_sha256: str
    record_sha256: str
    evidence: list[EvidenceRecordOut]


class EvidenceListOut(Answer):
    agreement_id: str
    version: int
    evidence: list[EvidenceOut]


@routes.post("/agreements", status=201, may="agreement:draft")
async def draft_agreement(body: AgreementIn, work: Work) -> AgreementOut:
    command = DraftAgreement.model_validate(body.model_dump())
    return _of_unit(await handlers.draft_agreement(command, work), work)


@routes.get("/agreements", may="agreement:read")
async def list_agreements(
    paging: Paging,
    work: Work,
    partner_id: Annotated[str | None, Query(max_length=40)] = None,
    status: Status | None = None,
) -> Page[AgreementOut]:
    """The latest first."""
    reach = Reach.of(work.context.actor.grants, "agreement:read")
    wanted = queries.wanted(reach, partner_id=partner_id, status=status)
    collection = work.mongo[agreements.collection]
    return await page_of(collection, wanted, paging=paging, make=_of_document, sort=[("_id", -1)])


@routes.get("/agreements/{id}", may="agreement:read")
async def read_agreement(id: str, work: Work) -> AgreementOut:
    return _of_unit(await queries.agreement_in_reach(work, id, "agreement:read"), work)


@routes.post("/agreements/{id}/texts", status=201, may="agreement:draft")
async def change_text(id: str, body: AgreementTextIn, work: Work) -> AgreementOut:
    """Only while it is a draft."""
    command = ChangeText(agreement_id=id, text=body.text)
    return _of_unit(await handlers.change_text(command, work), work)


@routes.get("/agreements/{id}/text", may="agreement:read")
async def read_text(id: str, work: Work) -> AgreementTextOut:
    agreement = await queries.agreement_in_reach(work, id, "agreement:read")
    return AgreementTextOut(
        agreement_id=agreement.id,
        version=_version(agreement, work),
        sha256=agreement.text_sha256,
        content=await queries.text_of(work.mongo, agreement),
    )


@routes.post("/agreements/{id}/signing-rounds", status=201, may="agreement:send")
async def send_for_signature(id: str, work: Work) -> AgreementOut:
    """Freezes the text under a number and asks both sides to sign it."""
    return _of_unit(await handlers.send_for_signature(SendForSignature(agreement_id=id), work), work)


@routes.post("/agreements/{id}/signatures", status=201, may="agreement:sign")
async def sign_agreement(id: str, body: SignatureIn, work: Work, response: Response) -> SignatureOut:
    """Once for each side. Who signs again gets the same evidence, and 200."""
    command = SignAgreement(agreement_id=id, **body.model_dump())
    agreement = await handlers.sign_agreement(command, work)
    if not any(work.change.events):
        response.status_code = ALREADY_THERE
    signature = agreement.signature_of(body.party)
    assert signature is not None, "who was not refused has signed"
    return _signature_out(signature)


@routes.get("/agreements/{id}/manifest", may="agreement:read")
async def read_manifest(id: str, work: Work) -> ManifestOut:
    """Without the names of those who signed."""
    agreement = await queries.agreement_in_reach(work, id, "agreement:read")
    records, version = await queries.evidence_of(work.mongo, agreement), _version(agreement, work)
    return ManifestOut(
        agreement_id=agreement.id,
        version=version,
        ref=agreement.ref,
        status=agreement.status,
        text_sha256=agreement.text_sha256,
        record_sha256=await queries.record_sha256_of(work.mongo, agreement, version),
        evidence=[EvidenceRecordOut(**{**record, "evidence_id": record["_id"]}) for record in records],
    )


@routes.get("/agreements/{id}/evidence", may="evidence:read")
async def read_evidence(id: str, work: Work) -> EvidenceListOut:
    """With the names, which are kept as evidence even when a person asks to be forgotten."""
    agreement = await queries.agreement_in_reach(work, id, "evidence:read")
    records = await queries.evidence_of(work.mongo, agreement)
    return EvidenceListOut(
        agreement_id=agreement.id,
        version=_version(agreement, work),
        evidence=[EvidenceOut(**{**record, "evidence_id": record["_id"]}) for record in records],
    )


def _version(agreement: Agreement, unit: Unit) -> int:
    version = unit.version_of(agreement.id)
    assert version is not None, "the unit has loaded or made the agreement it speaks of"
    return version


def _of_unit(agreement: Agreement, unit: Unit) -> AgreementOut:
    return _agreement_out(agreement, _version(agreement, unit))


def _of_document(document: dict[str, Any]) -> AgreementOut:
    return _agreement_out(agreements.restore(document), document["version"])


def _agreement_out(agreement: Agreement, version: int) -> AgreementOut:
    signatures = agreement.round.signatures if agreement.round else ()
    return AgreementOut(
        id=agreement.id,
        version=version,
        ref=agreement.ref,
        kind=agreement.kind,
        title=agreement.title,
        status=agreement.status,
        partner_id=agreement.partner_id,
        officer_id=agreement.officer_id,
        policy=agreement.policy,
        text_sha256=agreement.text_sha256,
        starts_on=agreement.term.starts_on,
        ends_on=agreement.term.ends_on,
        effective_on=agreement.effective_on,
        closes_at=agreement.round.closes_at if agreement.round else None,
        holds=[hold.kind for hold in agreement.holds],
        signatures=[_signature_out(signature) for signature in signatures],
    )


def _signature_out(signature: Signature) -> SignatureOut:
    return SignatureOut(
        party=signature.party,
        signatory_id=signature.signatory_id,
        on_behalf_of=signature.on_behalf_of,
        evidence_id=signature.evidence_id,
        evidence_sha256=signature.evidence_sha256,
        signed_at=signature.signed_at,
    )
