"""Those who sign at the same moment: one completion, one evidence a signature, one chain."""

import asyncio

import pytest

from services.agreements.instruments.documents import evidence
from services.agreements.instruments.domain.evidence import GENESIS, link
from services.agreements.instruments.domain.states import Status
from shared.contracts.agreements.agreement import (
    AgreementEnteredIntoForce,
    AgreementFullySigned,
    AgreementSignedByParty,
)
from shared.errors import NotFound, Refusal
from tests.service.agreements.desk import SIGNATORY, Desk, user_of

pytestmark = pytest.mark.asyncio

PERSONAL = ("_id", "sha256", "name", "name_salt")


async def test_two_who_sign_at_the_same_moment_complete_the_agreement_once(desk: Desk) -> None:
    partner_id = await desk.register()
    for _ in range(5):
        agreement = await desk.sent(partner_id)
        await asyncio.gather(
            desk.sign(agreement, SIGNATORY), desk.sign(agreement, user_of(partner_id), name="Joseph Ouko")
        )
        assert (await desk.read(agreement.id)).status is Status.IN_FORCE
        assert await desk.count(agreement.id, AgreementFullySigned) == 1
        assert await desk.count(agreement.id, AgreementEnteredIntoForce) == 1


async def test_the_evidence_of_both_is_one_chain_that_the_events_confirm(desk: Desk) -> None:
    partner_id = await desk.register()
    agreement = await desk.sent(partner_id)
    await asyncio.gather(desk.sign(agreement, SIGNATORY), desk.sign(agreement, user_of(partner_id)))
    previous = GENESIS
    cursor = desk.mongo[evidence.name].find({"agreement_id": agreement.id}).sort("number", 1)
    records = [document async for document in cursor]
    for document in records:
        shared = {key: value for key, value in document.items() if key not in PERSONAL}
        assert document["previous_sha256"] == previous
        previous = link({**shared, "evidence_id": document["_id"]})
        assert document["sha256"] == previous
    events = await desk.events(agreement.id)
    signatures = [event for event in events if isinstance(event, AgreementSignedByParty)]
    assert [event.evidence_sha256 for event in signatures] == [record["sha256"] for record in records]
    assert len(records) == 2


async def test_signing_twice_at_once_leaves_one_evidence(desk: Desk) -> None:
    partner_id = await desk.register()
    agreement, user = await desk.sent(partner_id), user_of(partner_id)
    await asyncio.gather(*(desk.sign(agreement, user) for _ in range(5)))
    assert await desk.mongo[evidence.name].count_documents({"agreement_id": agreement.id}) == 1
    assert await desk.count(agreement.id, AgreementSignedByParty) == 1


async def test_of_two_users_of_the_partner_one_signs(desk: Desk) -> None:
    partner_id = await desk.register()
    agreement = await desk.sent(partner_id)
    answers = await asyncio.gather(
        *(desk.sign(agreement, user_of(partner_id)) for _ in range(2)), return_exceptions=True
    )
    assert [answer.code for answer in answers if isinstance(answer, Refusal)] == ["slot_closed"]


async def test_another_partners_user_learns_nothing_of_the_agreement(desk: Desk) -> None:
    agreement = await desk.sent(await desk.register())
    with pytest.raises(NotFound, match="agreement_not_found"):
        await desk.sign(agreement, user_of(await desk.register()))


async def test_a_draft_is_not_there_for_its_partner(desk: Desk) -> None:
    partner_id = await desk.register()
    with pytest.raises(NotFound, match="agreement_not_found"):
        await desk.sign(await desk.draft(partner_id), user_of(partner_id))
