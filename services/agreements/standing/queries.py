"""What is read of partners as this service knows them."""

import re
from collections.abc import Iterable
from typing import Any

from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import STANDINGS, PartnerStanding
from shared.errors import NotFound
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit


async def standing_in_reach(unit: Unit, partner_id: str, permission: str) -> PartnerStanding:
    """404 also for what is not theirs to know."""
    reach = Reach.of(unit.context.actor.grants, permission)
    document = await unit.get(STANDINGS, partner_id)
    standing = document and PartnerStanding.of(document)
    if not standing or not (reach.covers(standing.id, standing.country) or reach.is_own(standing.id)):
        raise NotFound("standing_not_found", "No such partner is known here", id=partner_id[:64])
    return standing


def within(reach: Reach) -> dict[str, Any]:
    if reach.everything:
        return {}
    ids, countries = sorted(reach.partners | reach.own), sorted(reach.countries)
    return {"$or": [{"_id": {"$in": ids}}, {"country": {"$in": countries}}]}


async def standings_of(mongo: Mongo, partner_ids: Iterable[str]) -> dict[str, PartnerStanding]:
    """Of these partners, by their ids."""
    cursor = mongo[STANDINGS].find({"_id": {"$in": sorted(set(partner_ids))}})
    return {document["_id"]: PartnerStanding.of(document) async for document in cursor}


async def named_like(mongo: Mongo, reach: Reach, name: str, limit: int) -> list[PartnerStanding]:
    """Those of whose name a word begins like this, in the order of names."""
    pattern = {"$regex": rf"(^|[\s'’\-]){re.escape(name)}", "$options": "i"}
    wanted = {"$and": [within(reach), {"legal_name": pattern}]}
    cursor = mongo[STANDINGS].find(wanted).sort([("legal_name", 1), ("_id", 1)]).limit(limit)
    return [PartnerStanding.of(document) async for document in cursor]
