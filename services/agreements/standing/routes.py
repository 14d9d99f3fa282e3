"""HTTP in: partners as this service knows them, and as of when."""

from datetime import datetime

from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import STANDINGS, PartnerStanding, Standing
from services.agreements.standing.queries import standing_in_reach, within
from shared.contracts.vocabulary import PartnerKind
from shared.http.app import Answer, Routes, Work
from shared.http.paging import Page, Paging, page_of

routes = Routes("agreements", room="standing")


class StandingOut(Answer):
    """`as_of`: when the partners service last said something new of the partner."""

    partner_id: str
    legal_name: str
    kind: PartnerKind
    country: str
    standing: Standing
    as_of: datetime


@routes.get("/standings", may="partner:read")
async def list_standings(paging: Paging, work: Work) -> Page[StandingOut]:
    """In the order of names."""
    wanted = within(Reach.of(work.context.actor.grants, "partner:read"))
    sort = [("legal_name", 1)]
    return await page_of(
        work.mongo[STANDINGS],
        wanted,
        paging=paging,
        make=lambda document: _standing_out(PartnerStanding.of(document)),
        sort=sort,
    )


@routes.get("/standings/{partner_id}", may="partner:read")
async def read_standing(partner_id: str, work: Work) -> StandingOut:
    return _standing_out(await standing_in_reach(work, partner_id, "partner:read"))


def _standing_out(standing: PartnerStanding) -> StandingOut:
    return StandingOut(
        partner_id=standing.id,
        legal_name=standing.legal_name,
        kind=standing.kind,
        country=standing.country,
        standing=standing.standing,
        as_of=standing.as_of,
    )
