"""What is read of agreements, straight from what was saved."""

from typing import Any

from services.agreements.instruments.documents import agreements, evidence, texts
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.states import Status
from services.agreements.instruments.domain.text import hash_of
from services.agreements.standing.domain import PartnerStanding
from shared.storage.mongo import Mongo


class TextDamaged(Exception):
    """What is kept is not what was agreed: for people to look into, never to be shown."""


async def ids_out_of_line(mongo: Mongo, partner: PartnerStanding, limit: int) -> list[str]:
    """Agreements of this partner that have not ended and whose hold is not what its standing asks for."""
    query = {"partner_id": partner.id, "ended": False, "held_for": {"$ne": partner.suspended_by}}
    cursor = mongo[agreements.collection].find(query, {"_id": 1}).sort("_id", 1).limit(limit)
    return [document["_id"] async for document in cursor]


async def text_of(mongo: Mongo, agreement: Agreement) -> str:
    """The text the agreement names by its hash, and nothing else: what is kept is hashed again."""
    document = await mongo[texts.name].find_one({"_id": agreement.text_sha256})
    content: str | None = document and document["content"]
    if content is None or hash_of(content) != agreement.text_sha256:
        raise TextDamaged(f"the text of {agreement.id} is not what it was")
    return content


async def evidence_of(mongo: Mongo, agreement: Agreement) -> list[dict[str, Any]]:
    cursor = mongo[evidence.name].find({"agreement_id": agreement.id}).sort("number", 1)
    return [document async for document in cursor]


def visible(partners: frozenset[str] | None) -> dict[str, Any]:
    """The condition that `Agreement.is_visible_to` is, for lists."""
    if partners is None:
        return {}
    return {"partner_id": {"$in": sorted(partners)}, "status": {"$ne": Status.DRAFT.value}}
