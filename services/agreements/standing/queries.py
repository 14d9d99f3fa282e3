"""What is read of partners as this service knows them."""

from typing import Any

from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import STANDINGS, PartnerStanding
from shared.errors import NotFound
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
