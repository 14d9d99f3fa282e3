"""The register: how many partners of each kind there are, and the list of those that were asked for."""

from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from services.partners.register.documents import partners
from services.partners.register.domain.partner import PartnerStatus
from services.partners.register.drafts import drafts_of
from services.partners.register.pages.telling import TEMPLATES, counted, counted_all
from services.partners.register.queries import Reach, counts_by_kind, partners_wanted
from shared.contracts.vocabulary import PartnerKind
from shared.http.paging import Cursor, PageAsked, page_of
from shared.web.ask import Ask
from shared.web.countries import country_options
from shared.web.forms import FormModel
from shared.web.pages import Pages
from shared.web.words import word

pages = Pages("register", templates=TEMPLATES)

_SORTS = {"name": [("name_sort", 1)], "country": [("country", 1), ("name_sort", 1)]}


class Wanted(FormModel):
    kind: PartnerKind | None = None
    country: str | None = None
    status: PartnerStatus | None = None
    sort: Literal["name", "country"] = "name"
    cursor: str | None = None

    def page(self) -> PageAsked:
        return PageAsked(cursor=Cursor.read(self.cursor) if self.cursor else None)


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A number and the list behind it. `is_here`: that list is the one on the page."""

    said: str
    address: str
    is_here: bool


@pages.get("/partners", may="partner:read")
async def register(ask: Ask) -> Response:
    """A name is looked for as it is written: what cannot stand in a name finds nothing, and is no mistake."""
    wanted, name = ask.query(Wanted), ask.request.query_params.get("name", "")
    reach, mongo = Reach.of(ask.actor, "partner:read"), ask.work.mongo
    of_any_kind = partners_wanted(reach, kind=None, country=wanted.country, status=wanted.status, name=name)
    listed = partners_wanted(reach, kind=wanted.kind, country=wanted.country, status=wanted.status, name=name)
    found = await page_of(
        mongo[partners.collection],
        listed,
        paging=wanted.page(),
        make=partners.restore,
        sort=_SORTS[wanted.sort],
    )
    counts = await counts_by_kind(mongo, of_any_kind)
    mine = await drafts_of(mongo, ask.actor.id) if ask.may("partner:register") else []
    filtered = bool(name.strip() or wanted.kind or wanted.country or wanted.status)
    return ask.page(
        "register/list.html",
        found=found,
        wanted=wanted,
        name=name,
        all=_all(ask, counts, wanted),
        kinds=_kinds(ask, counts, wanted),
        drafts=mine,
        is_filtered=filtered,
        kind_options=[(kind, word(kind)) for kind in PartnerKind],
        status_options=[(status, word(status)) for status in PartnerStatus],
        countries=country_options(ask.formats),
    )


def _all(ask: Ask, counts: dict[PartnerKind, int], wanted: Wanted) -> Sum:
    said = counted_all(sum(counts.values()), ask.formats)
    return Sum(said=said, address=_narrowed(ask, None), is_here=wanted.kind is None)


def _kinds(ask: Ask, counts: dict[PartnerKind, int], wanted: Wanted) -> list[Sum]:
    return [
        Sum(
            said=counted(kind, count, ask.formats),
            address=_narrowed(ask, kind),
            is_here=wanted.kind is kind,
        )
        for kind, count in counts.items()
        if count
    ]


def _narrowed(ask: Ask, kind: PartnerKind | None) -> str:
    return ask.address(kind=kind and kind.value, cursor=None, done=None)
