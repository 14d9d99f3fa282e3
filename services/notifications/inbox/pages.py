"""The inbox on a screen. It is whole without scripts; with them, what comes is shown as it comes.

One stream a page. It carries no markup: each event makes the page fetch its list anew. So a page that lost
its stream, came back late or heard an event twice shows the same list in the end, and what another window
marked as read is read here too. The stream begins after the newest item that the page shows, and takes up
from Last-Event-ID where the browser knows better. It ends after a few minutes and is opened again by the
browser, which is when its reader is looked up anew.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from services.notifications.deliveries.addresses import page_about
from services.notifications.deliveries.domain.words import text_of
from services.notifications.inbox.commands import MarkAllAsRead, MarkAsRead
from services.notifications.inbox.documents import INBOX, item_of
from services.notifications.inbox.domain import InboxItem
from services.notifications.inbox.handlers import mark_all_as_read, mark_as_read
from services.notifications.inbox.queries import unread
from services.notifications.inbox.reading import seq_of
from services.notifications.inbox.streams import Streams
from shared.http.paging import CURSOR_LENGTH_MAX, Cursor, Page, PageAsked, page_of
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.pages import Pages

ITEMS_A_PAGE = 30
STREAM_LASTS = timedelta(minutes=5)
SEQ_MAX = 2**53


class Asked(FormModel):
    cursor: str | None = None


class UpTo(FormModel):
    up_to: int = Field(ge=0, le=SEQ_MAX)


def inbox_pages(streams: Streams) -> Pages:
    pages = Pages("inbox", templates=Path(__file__).with_name("templates"))

    @pages.get("/notifications/inbox", may="inbox:read")
    async def inbox(ask: Ask) -> Response:
        return ask.page("inbox/inbox.html", **await _shown(ask))

    @pages.get("/notifications/inbox/items", may="inbox:read")
    async def items(ask: Ask) -> Response:
        """The list alone; whoever shows a count of it is told to ask again."""
        response = ask.fragment("inbox/items.html", **await _shown(ask))
        response.headers["HX-Trigger-After-Settle"] = "counts-changed"
        return response

    @pages.get("/notifications/inbox/count", may="inbox:read")
    async def count(ask: Ask) -> Response:
        return ask.fragment("inbox/count.html", count=await unread(ask.work.mongo, ask.actor.id))

    @pages.get("/notifications/inbox/live", may="inbox:read")
    async def live(ask: Ask) -> Response:
        """That something came: its number and nothing else."""
        assert ask.session is not None, "only who is signed in comes here"
        headers = ask.request.headers
        last = seq_of(headers.get("last-event-id") or ask.request.query_params.get("after"))
        until = min(ask.session.ends_at, ask.work.context.recorded_at + STREAM_LASTS)
        events = streams.events(ask.actor.id, after=last, expires_at=until, render=_number)
        kept_back = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=kept_back)

    @pages.post("/notifications/inbox/readings", may="inbox:mark", again=inbox)
    async def mark_all(ask: Ask) -> Response:
        await mark_all_as_read(MarkAllAsRead(up_to=ask.form(UpTo).up_to), ask.work)
        return ask.see_other("/notifications/inbox", done="all_read")

    @pages.post("/notifications/inbox/{id}/readings", may="inbox:mark", again=inbox)
    async def mark_one(ask: Ask) -> Response:
        await mark_as_read(MarkAsRead(item_id=ask.path("id")), ask.work)
        return ask.see_other("/notifications/inbox", done="read")

    return pages


async def _shown(ask: Ask) -> dict[str, Any]:
    cursor = ask.query(Asked).cursor
    paging = PageAsked(limit=ITEMS_A_PAGE, cursor=Cursor.read(cursor[:CURSOR_LENGTH_MAX]) if cursor else None)
    page: Page[InboxItem] = await page_of(
        ask.work.mongo[INBOX],
        {"person": ask.actor.id},
        paging=paging,
        make=item_of,
        sort=[("seq", -1), ("_id", 1)],
    )
    return {
        "items": page.items,
        "next": page.next,
        "newest": max((item.seq for item in page.items), default=0),
        "unread": await unread(ask.work.mongo, ask.actor.id),
        "is_first_page": cursor is None,
        "text_of": lambda item: text_of(item.content, language=ask.language, zone=ask.actor.zone),
        "address_of": lambda item: page_about(item.about, ask.actor),
    }


def _number(item: InboxItem) -> bytes:
    return b"%d" % item.seq
