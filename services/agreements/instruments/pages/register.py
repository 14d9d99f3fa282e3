"""The register of agreements, and the part of it that a partner's page shows."""

from pathlib import Path
from typing import Any

from pydantic import Field
from starlette.responses import Response

from services.agreements.instruments import outlines, queries
from services.agreements.instruments.documents import agreements
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.states import Status
from services.agreements.instruments.pages.shown import Shown, all_shown, next_step
from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.queries import named_like, standing_in_reach, standings_of
from shared.http.paging import CURSOR_LENGTH_MAX, Cursor, Page, PageAsked, page_of
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.pages import Pages
from shared.web.words import word

pages = Pages("instruments", templates=Path(__file__).parents[1] / "templates")

NAMED_MAX = 200
OF_PARTNER_MAX = 5
OUTLINES_MAX = 10


class Filters(FormModel):
    """`partner` is one partner's id, `name` the beginning of a word of names."""

    status: Status | None = None
    partner: str | None = Field(None, max_length=40)
    name: str | None = Field(None, max_length=300)
    cursor: str | None = Field(None, max_length=CURSOR_LENGTH_MAX)

    @property
    def are_set(self) -> bool:
        return bool(self.status or self.partner or self.name)


@pages.get("/agreements", may="agreement:read")
async def register_page(ask: Ask) -> Response:
    filters = ask.query(Filters)
    reach = Reach.of(ask.actor.grants, "agreement:read")
    wanted, found_all = await _wanted(ask, filters, reach)
    cursor = Cursor.read(filters.cursor) if filters.cursor else None
    page = await _page(ask, wanted, PageAsked(cursor=cursor))
    drafting = ask.may("agreement:draft")
    begun = await outlines.of_author(ask.work.mongo, ask.actor.id, OUTLINES_MAX) if drafting else []
    return ask.page(
        "instruments/register.html",
        filters=filters,
        statuses=[(status.value, word(status)) for status in Status],
        rows=await _rows(ask, page),
        next=page.next,
        named_max=None if found_all else NAMED_MAX,
        begun=begun,
        partners=await standings_of(ask.work.mongo, _concerned(begun, filters)),
    )


@pages.get("/agreements/fragments/of-partner/{id}", may="agreement:read")
async def of_partner(ask: Ask) -> Response:
    """What we do together: the latest few, for the partner's page."""
    partner = await standing_in_reach(ask.work, ask.path("id"), "agreement:read")
    reach = Reach.of(ask.actor.grants, "agreement:read")
    wanted = queries.wanted(reach, partner_id=partner.id, status=None)
    page = await _page(ask, wanted, PageAsked(limit=OF_PARTNER_MAX))
    rows = await _rows(ask, page)
    return ask.fragment("instruments/of_partner.html", partner=partner, rows=rows, more=page.next is not None)


async def _wanted(ask: Ask, filters: Filters, reach: Reach) -> tuple[dict[str, Any], bool]:
    """The query, and whether every partner of that name is in it."""
    wanted = queries.wanted(reach, partner_id=filters.partner, status=filters.status)
    if filters.name is None:
        return wanted, True
    named = await named_like(ask.work.mongo, reach, filters.name, NAMED_MAX)
    ids = [partner.id for partner in named]
    return {"$and": [wanted, {"partner_id": {"$in": ids}}]}, len(ids) < NAMED_MAX


async def _page(ask: Ask, wanted: dict[str, Any], asked: PageAsked) -> Page[Agreement]:
    collection = ask.work.mongo[agreements.collection]
    return await page_of(collection, wanted, paging=asked, make=agreements.restore, sort=[("_id", -1)])


async def _rows(ask: Ask, page: Page[Agreement]) -> list[tuple[Shown, Any]]:
    return [(one, next_step(one)) for one in await all_shown(ask.work.mongo, page.items)]


def _concerned(begun: list[outlines.Outline], filters: Filters) -> set[str]:
    return {one.partner_id for one in begun} | ({filters.partner} if filters.partner else set())
