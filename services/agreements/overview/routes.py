"""HTTP in: partners with what they have agreed with us, and as of when the answer is whole."""

from datetime import datetime
from typing import Any

from services.agreements.overview.queries import counts_of
from services.agreements.overview.views import PARTNER_AGREEMENTS
from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import Standing
from services.agreements.standing.queries import within
from shared.http.app import Answer, Routes, Work
from shared.http.paging import Page, Paging, page_of
from shared.storage import views

routes = Routes("agreements", room="overview")


class OverviewOut(Answer):
    """`agreements`: how many in each state. `as_of`: everything that had happened by then is in it."""

    partner_id: str
    legal_name: str
    country: str
    standing: Standing
    agreements: dict[str, int]
    as_of: datetime | None


@routes.get("/partner-overviews", may="agreement:read")
async def list_partner_overviews(paging: Paging, work: Work) -> Page[OverviewOut]:
    """In the order of names. Drafts are counted for the organisation's own people only."""
    reach = Reach.of(work.context.actor.grants, "agreement:read")
    live = await views.live(work.mongo, PARTNER_AGREEMENTS)
    rows = PARTNER_AGREEMENTS.collection(live.generation)
    page: Page[OverviewOut] = await page_of(
        work.mongo[rows],
        {"what": "partner", **within(reach)},
        paging=paging,
        make=lambda row: _overview_out(row, live.as_of),
        sort=[("legal_name", 1), ("_id", 1)],
    )
    ours = {one.partner_id for one in page.items if reach.covers(one.partner_id, one.country)}
    theirs = {one.partner_id for one in page.items} - ours
    counts = {
        **await counts_of(work.mongo, rows, ours, drafts=True),
        **await counts_of(work.mongo, rows, theirs, drafts=False),
    }
    items = [one.model_copy(update={"agreements": counts.get(one.partner_id, {})}) for one in page.items]
    return Page[OverviewOut](items=items, next=page.next)


def _overview_out(row: dict[str, Any], as_of: datetime | None) -> OverviewOut:
    return OverviewOut(
        partner_id=row["partner_id"],
        legal_name=row["legal_name"],
        country=row["country"],
        standing=row["standing"],
        agreements={},
        as_of=as_of,
    )
