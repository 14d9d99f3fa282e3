"""What is read of agreements, straight from what was saved."""

from typing import Any

from services.agreements.instruments.documents import agreements, evidence, texts
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.authority import is_within
from services.agreements.instruments.domain.states import Status
from services.agreements.instruments.domain.text import hash_of
from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import PartnerStanding
from shared.errors import NotFound
from shared.storage.change import EVENTS
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit


class TextDamaged(Exception):
    """What is kept is not what was agreed: for people to look into, never to be shown."""


async def ids_out_of_line(mongo: Mongo, partner: PartnerStanding, limit: int) -> list[str]:
    """Agreements of this partner that have not ended and whose hold is not what its standing asks for."""
    query = {"partner_id": partner.id, "ended": False, "held_for": {"$ne": partner.suspended_by}}
    cursor = mongo[agreements.collection].find(query, {"_id": 1}).limit(limit)
    return [document["_id"] async for document in cursor]


async def text_of(mongo: Mongo, agreement: Agreement) -> str:
    """The text the agreement names by its hash, and nothing else: what is kept is hashed again."""
    document = await mongo[texts.name].find_one({"_id": agreement.text_sha256})
    content: str | None = document and document["content"]
    if content is None or hash_of(content) != agreement.text_sha256:
        raise TextDamaged(f"the text of {agreement.id} is not what it was")
    return content


async def evidence_of(mongo: Mongo, agreement: Agreement) -> list[dict[str, Any]]:
    """Of the signatures this version of the agreement has."""
    signatures = agreement.round.signatures if agreement.round else ()
    ids = [signature.evidence_id for signature in signatures]
    cursor = mongo[evidence.name].find({"_id": {"$in": ids}}).sort("number", 1)
    return [document async for document in cursor]


async def record_sha256_of(mongo: Mongo, agreement: Agreement, version: int) -> str:
    """The link of its stream at that version: who knows it knows that nothing before it was changed."""
    event = await mongo[EVENTS].find_one({"stream": agreement.id, "version": version}, {"hash": 1})
    return bytes(event["hash"]).hex()


async def agreement_in_reach(unit: Unit, id: str, permission: str) -> Agreement:
    """404 also for what is not theirs to know."""
    agreement = await agreements.load(unit, id)
    if not is_within(Reach.of(unit.context.actor.grants, permission), agreement):
        raise NotFound("agreement_not_found", "There is no such agreement", id=id)
    return agreement


def wanted(reach: Reach, *, partner_id: str | None, status: Status | None) -> dict[str, Any]:
    filters = {"partner_id": partner_id, "status": status and status.value}
    chosen = {field: value for field, value in filters.items() if value is not None}
    return {"$and": [_within(reach), chosen]}


def _within(reach: Reach) -> dict[str, Any]:
    """The condition that `is_within` is."""
    if reach.everything:
        return {}
    ours = {"partner_id": reach.partners, "country": reach.countries}
    ways: list[dict[str, Any]] = [
        {field: {"$in": sorted(wanted)}} for field, wanted in ours.items() if wanted
    ]
    if reach.own:
        ways.append({"partner_id": {"$in": sorted(reach.own)}, "status": {"$ne": Status.DRAFT.value}})
    # One way alone, or several, each along its own index; none leads nowhere.
    return {"$or": ways} if ways else {"_id": {"$in": []}}
