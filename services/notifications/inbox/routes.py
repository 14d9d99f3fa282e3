"""The inbox over HTTP: a list, a mark, and a stream."""

from datetime import datetime
from typing import Annotated

from fastapi import Header, Request
from starlette.responses import Response, StreamingResponse

from services.notifications.deliveries.domain.words import text_of
from services.notifications.inbox.commands import MarkAsRead
from services.notifications.inbox.documents import INBOX, item_of
from services.notifications.inbox.domain import InboxItem
from services.notifications.inbox.handlers import mark_as_read
from services.notifications.inbox.reading import seq_of
from services.notifications.inbox.streams import Streams
from shared.context import Actor
from shared.http.app import Answer, Routes, Work
from shared.http.paging import Page, Paging, page_of
from shared.http.visit import visit_of

# As events of the stream come.
_STREAM = {"text/event-stream": 'id: 41\nevent: item\ndata: {"id": "…", "seq": 41, "subject": "…"}\n\n'}


class InboxItemOut(Answer):
    """`language` is the one the words are in, which is another than asked for where they are missing."""

    id: str
    seq: int
    event_type: str
    about: str
    language: str
    subject: str
    body: str
    at: datetime
    read_at: datetime | None


def inbox_routes(streams: Streams) -> Routes:
    routes = Routes("notifications", room="inbox")

    @routes.get("/inbox", may="inbox:read")
    async def read_inbox(paging: Paging, work: Work) -> Page[InboxItemOut]:
        """What I was told, the newest first."""
        actor = work.context.actor
        return await page_of(
            work.mongo[INBOX],
            {"person": actor.id},
            paging=paging,
            make=lambda document: _item(item_of(document), actor),
            sort=[("seq", -1), ("_id", 1)],
        )

    @routes.post("/inbox/{id}/readings", status=201, may="inbox:mark")
    async def mark_read(id: str, work: Work) -> InboxItemOut:
        """I have read it. The first time counts."""
        return _item(await mark_as_read(MarkAsRead(item_id=id), work), work.context.actor)

    @routes.get("/inbox/stream", may="inbox:read", response_class=StreamingResponse, shows=_STREAM)
    async def follow_inbox(
        request: Request, work: Work, last_event_id: Annotated[str | None, Header()] = None
    ) -> Response:
        """New items as server-sent events; with Last-Event-ID, from there on."""
        claims, actor = visit_of(request).claims, work.context.actor
        events = streams.events(
            actor.id,
            after=seq_of(last_event_id),
            expires_at=None if claims is None else claims.expires_at,
            render=lambda item: _item(item, actor).model_dump_json().encode(),
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    return routes


def _item(item: InboxItem, actor: Actor) -> InboxItemOut:
    text = text_of(item.content, language=actor.language, zone=actor.zone)
    return InboxItemOut(
        id=item.id,
        seq=item.seq,
        event_type=item.event_type,
        about=item.about,
        language=text.language,
        subject=text.subject,
        body=text.body,
        at=item.at,
        read_at=item.read_at,
    )
