"""Everything that happened to a partner with its evidence, and every notice about it."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from services.partners.people.pages.telling import actors_of
from services.partners.people.queries import names_known_to
from services.partners.register.pages import telling
from services.partners.register.pages.partner import history_of, line
from services.partners.register.queries import notices_of, partner_in_reach
from shared.http.paging import Cursor, PageAsked
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.history import ENTRIES_MAX
from shared.web.pages import Pages

pages = Pages("register", templates=telling.TEMPLATES)


class FromVersion(FormModel):
    """`cursor`: the version before which to read on."""

    cursor: Annotated[int, Field(ge=1, lt=2**53)] | None = None


class FromNotice(FormModel):
    cursor: str | None = None


@pages.get("/partners/{id}/timeline", may="partner:read")
async def timeline(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "partner:read")
    known = await history_of(ask, partner, before=ask.query(FromVersion).cursor, limit=ENTRIES_MAX)
    actors = actors_of(one.envelope for one in known.entries)
    names = await names_known_to(ask.work.mongo, ask.actor, actors)
    told = [(line(one, partner, names, ask.formats), one) for one in known.entries]
    return ask.page("register/timeline.html", partner=partner, known=known, told=told)


@pages.get("/partners/{id}/notices", may="delivery:read")
async def notices(ask: Ask) -> Response:
    partner = await partner_in_reach(ask.work, ask.path("id"), "delivery:read")
    cursor = ask.query(FromNotice).cursor
    page = await notices_of(ask.work, partner, PageAsked(cursor=Cursor.read(cursor) if cursor else None))
    recipients = [notice.recipient for notice in page.items if notice.recipient]
    names = await names_known_to(ask.work.mongo, ask.actor, recipients)
    return ask.page(
        "register/notices.html",
        partner=partner,
        notices=page.items,
        next=page.next,
        names=names,
        telling=telling,
    )
