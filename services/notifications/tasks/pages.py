"""My work: what I must do by when and why, what waits on others, and what happened since I was last here."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.responses import Response

from services.notifications.deliveries.addresses import page_about
from services.notifications.deliveries.domain.words import Text, text_of
from services.notifications.inbox.domain import InboxItem
from services.notifications.inbox.queries import told_since
from services.notifications.tasks.documents import TASKS
from services.notifications.tasks.domain import Task, task_of
from services.notifications.tasks.queries import (
    WAITING_MAX,
    how_many_are_mine,
    mine,
    names_of_partners,
    waiting_on_others,
)
from services.notifications.tasks.visits import note_visit
from shared.contracts.notifications.task import TaskKind
from shared.http.paging import CURSOR_LENGTH_MAX, Cursor, PageAsked, page_of
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.language import N_
from shared.web.pages import Pages

TASKS_A_PAGE = 50
NEWS_MAX = 8

pages = Pages("tasks", templates=Path(__file__).with_name("templates"))


@dataclass(frozen=True, kw_only=True)
class Saying:
    """How a kind of task is put to whoever must do it, to others who wait for it, and where it is done."""

    title: str
    title_of_others: str
    button: str
    address: str


SAYINGS: Mapping[TaskKind, Saying] = {
    TaskKind.SIGN_AGREEMENT: Saying(
        title=N_("Sign %(label)s"),
        title_of_others=N_("Signature of %(label)s"),
        button=N_("Read and sign"),
        address="/agreements/{about}/sign",
    ),
    TaskKind.JOIN_FOR_PARTNER: Saying(
        title=N_("Take up your part for %(label)s"),
        title_of_others=N_("An invited person joins for %(label)s"),
        button=N_("Enter the code"),
        address="/partners/join",
    ),
}
# Why now, by the key that the event gives.
REASONS: Mapping[str, str] = {
    "text_frozen": N_(
        "The text is final: it was sent for signature on %(since)s. Unsigned in time, it lapses."
    ),
    "invited": N_("You were invited on %(since)s. The code that you were given counts until then."),
}
WHY_UNKNOWN = N_("Assigned on %(since)s.")


@dataclass(frozen=True, kw_only=True)
class News:
    at: datetime
    text: Text
    address: str


class Asked(FormModel):
    cursor: str | None = None


@pages.get("/", may="task:read")
async def my_work(ask: Ask) -> Response:
    mongo, actor = ask.work.mongo, ask.actor
    cursor = ask.query(Asked).cursor
    paging = PageAsked(limit=TASKS_A_PAGE, cursor=Cursor.read(cursor[:CURSOR_LENGTH_MAX]) if cursor else None)
    before, tasks, count, others = await asyncio.gather(
        note_visit(mongo, actor.id, ask.work.context.now),
        page_of(mongo[TASKS], mine(actor), paging=paging, make=task_of, sort=[("soonest", 1), ("_id", 1)]),
        how_many_are_mine(mongo, actor),
        waiting_on_others(mongo, actor),
    )
    news = await told_since(mongo, actor.id, before, NEWS_MAX)
    return ask.page(
        "tasks/my_work.html",
        tasks=tasks.items,
        next=tasks.next,
        count=count,
        others=others[:WAITING_MAX],
        others_more=len(others) > WAITING_MAX,
        partner_names=await names_of_partners(mongo, others),
        before=before,
        news=[_news(item, ask) for item in news],
        sayings=SAYINGS,
        why=_why,
        address_of=lambda task: page_about(task.about, actor),
    )


@pages.get("/notifications/tasks/count", may="task:read")
async def count_mine(ask: Ask) -> Response:
    return ask.fragment("tasks/count.html", count=await how_many_are_mine(ask.work.mongo, ask.actor))


def _why(task: Task) -> str:
    return REASONS.get(task.reason, WHY_UNKNOWN)


def _news(item: InboxItem, ask: Ask) -> News:
    text = text_of(item.content, language=ask.language, zone=ask.actor.zone)
    return News(at=item.at, text=text, address=page_about(item.about, ask.actor))
