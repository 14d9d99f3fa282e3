"""The overview: what each partner has agreed with us, put together from two topics."""

from itertools import permutations

import pytest

from services.agreements.overview.queries import counts_of
from services.agreements.overview.views import PARTNER_AGREEMENTS
from shared.contracts import catalogue
from shared.contracts.agreements.agreement import AgreementDrafted, AgreementSentForSignature
from shared.contracts.envelope import Provenance, open_envelope, seal
from shared.contracts.partners.partner import PartnerRegistered, PartnerSuspended
from shared.messaging.subscription import Received
from shared.storage import views
from shared.storage.mongo import Mongo
from shared.storage.views import Fact, Stretch
from tests.service.agreements.desk import Desk
from tests.support.writing import NOON

pytestmark = pytest.mark.asyncio(loop_scope="session")

PARTNER = PartnerRegistered.example["partner_id"]
AGREEMENT = AgreementDrafted.example["agreement_id"]


def fact(event_type: type, subject: str, version: int) -> Fact:
    event = event_type.model_validate(event_type.example)  # type: ignore[attr-defined]
    provenance = Provenance(actor="system:test", time=NOON, recorded_at=NOON, correlation_id="c")
    body = seal(event, id="e", source="/concord/x", subject=subject, version=version, provenance=provenance)
    envelope = open_envelope(body)
    received = Received(envelope=envelope, body=body, topic="t", partition=0, offset=version)
    return Fact(received, catalogue.event_of(envelope))


PARTNERS = [fact(PartnerRegistered, PARTNER, 1), fact(PartnerSuspended, PARTNER, 2)]
AGREEMENTS = [fact(AgreementDrafted, AGREEMENT, 1), fact(AgreementSentForSignature, AGREEMENT, 2)]


async def apply(mongo: Mongo, generation: int, stretches: list[tuple[str, list[Fact]]]) -> None:
    for topic, facts in stretches:
        await views.begin_partition(mongo, PARTNER_AGREEMENTS, generation, topic, 0)
        due = (await views.positions(mongo, PARTNER_AGREEMENTS, generation))[topic, 0]
        stretch = Stretch(topic=topic, partition=0, due=due, next=due + len(facts), facts=facts)
        await views.apply(mongo, PARTNER_AGREEMENTS, generation, stretch)


async def test_rows_are_the_same_whichever_topic_is_read_first_and_whatever_comes_twice(desk: Desk) -> None:
    mongo = desk.mongo
    topics = [
        ("partners", PARTNERS),
        ("agreements", AGREEMENTS),
        ("partners", PARTNERS),
        ("agreements", AGREEMENTS),
    ]
    orders = list(permutations(topics))[::5]
    seen = []
    for generation, order in enumerate(orders, 100):
        await apply(mongo, generation, list(order))
        rows = PARTNER_AGREEMENTS.collection(generation)
        seen.append(await mongo[rows].find().sort("_id", 1).to_list(length=10))
        await views.drop(mongo, PARTNER_AGREEMENTS, generation)
    assert all(rows == seen[0] for rows in seen)
    assert {row["what"]: row.get("standing", row.get("state")) for row in seen[0]} == {
        "agreement": "in_signature",
        "partner": "suspended",
    }


async def test_a_draft_is_not_counted_for_the_partner(desk: Desk) -> None:
    mongo = desk.mongo
    await apply(mongo, 50, [("partners", PARTNERS), ("agreements", AGREEMENTS[:1])])
    rows = PARTNER_AGREEMENTS.collection(50)
    assert await counts_of(mongo, rows, [PARTNER], drafts=True) == {PARTNER: {"draft": 1}}
    assert await counts_of(mongo, rows, [PARTNER], drafts=False) == {}
    await views.drop(mongo, PARTNER_AGREEMENTS, 50)
