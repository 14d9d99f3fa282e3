"""Deliveries on a screen: what was sent, what came back attempt by attempt, and sending one again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from services.notifications.deliveries.addresses import page_about
from services.notifications.deliveries.commands import ReplayDelivery
from services.notifications.deliveries.documents import ATTEMPTS, DELIVERIES
from services.notifications.deliveries.domain.delivery import SETTLED, State
from services.notifications.deliveries.handlers import find_for, replay_delivery, sees_all
from services.notifications.webhooks.documents import Address
from services.notifications.webhooks.handlers import MANAGE
from services.notifications.webhooks.queries import body_of, endpoint_known
from shared.contracts.envelope import CONTENT_TYPE
from shared.contracts.notifications.delivery import Channel
from shared.errors import NotFound
from shared.http.paging import CURSOR_LENGTH_MAX, Cursor, Page, PageAsked, page_of
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.language import N_
from shared.web.pages import Pages
from shared.web.words import add_words

DELIVERIES_A_PAGE = 25
ATTEMPTS_MAX = 100
LISTED = "/notifications/webhooks/deliveries"

add_words(
    {
        State.PENDING: N_("On its way"),
        State.WAITING: N_("Behind an earlier one"),
        State.PARKED: N_("Kept for later"),
        State.DELIVERED: N_("Delivered"),
        State.ACCEPTED: N_("Taken for delivery"),
        State.DEAD: N_("Given up"),
        State.SUPPRESSED: N_("Not to be told"),
    },
    tones={
        State.PENDING: "wait",
        State.WAITING: "wait",
        State.PARKED: "note",
        State.DELIVERED: "good",
        State.ACCEPTED: "good",
        State.DEAD: "stop",
        State.SUPPRESSED: "plain",
    },
)

# Why it waits, was put off or was given up: the words that deliveries carry, for people.
REASONS: Mapping[str, str] = {
    "disabled": N_("the endpoint is switched off"),
    "paused": N_("the receiver asked for a pause"),
    "breaker": N_("the endpoint rests after failures"),
    "gone": N_("the receiver said that it is gone for good"),
    "not_disclosed": N_("its owner may not know of the event any more"),
    "body_no_longer_kept": N_("the event’s bytes are not kept any more"),
    "dns": N_("the host’s name was not found"),
    "connect": N_("no connection was made"),
    "tls": N_("the connection could not be secured"),
    "timeout": N_("no answer came in time"),
    "reset": N_("the connection was cut"),
    "ssrf": N_("the address is one that may not be called"),
    "redirect": N_("the receiver sent us elsewhere, and we do not follow"),
    "client_4xx": N_("the receiver refused it"),
    "throttled": N_("the receiver asked us to slow down"),
    "server_5xx": N_("the receiver failed"),
    "too_large": N_("the answer was too large"),
    "internal": N_("a fault of ours"),
    "max_age": N_("it was tried for as long as anything is"),
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A delivery as its page shows it."""

    id: str
    endpoint_id: str
    event_id: str
    event_type: str
    about: str
    state: State
    reason: str
    attempts: int
    replays: int
    queued_at: datetime
    settled_at: datetime | None

    @property
    def has_ended(self) -> bool:
        return self.state in SETTLED


@dataclass(frozen=True, kw_only=True)
class Tried:
    started_at: datetime
    took_ms: int
    status: int | None
    problem: str
    address: str
    answer: str
    is_replay: bool


class Asked(FormModel):
    cursor: str | None = None


async def deliveries_to(endpoint: Address, ask: Ask) -> Page[Sent]:
    cursor = ask.query(Asked).cursor
    read = Cursor.read(cursor[:CURSOR_LENGTH_MAX]) if cursor else None
    return await page_of(
        ask.work.mongo[DELIVERIES],
        {"owner": endpoint.owner_id, "target": endpoint.id},
        paging=PageAsked(limit=DELIVERIES_A_PAGE, cursor=read),
        make=_sent,
        sort=[("delivery_id", -1), ("_id", 1)],
    )


def add_delivery_pages(pages: Pages) -> None:
    @pages.get(f"{LISTED}/{{id}}", may=MANAGE)
    async def delivery(ask: Ask) -> Response:
        mongo = ask.work.mongo
        document = await find_for(ask.actor, ask.path("id"), ask.work, permission=MANAGE)
        if document["channel"] != Channel.WEBHOOK:
            raise NotFound("delivery_not_found", "There is no such delivery", id=ask.path("id")[:64])
        sent = _sent(document)
        known = await endpoint_known(mongo, sent.endpoint_id, ask.actor)
        rows = mongo[ATTEMPTS].find({"delivery": document["_id"]}).sort("started_at", 1).limit(ATTEMPTS_MAX)
        shows_address = sees_all(ask.actor, MANAGE)
        tried = [_tried(row, shows_address) for row in await rows.to_list(length=ATTEMPTS_MAX)]
        body = await body_of(mongo, sent.event_id)
        return ask.page(
            "webhooks/delivery.html",
            sent=sent,
            endpoint=known.address,
            tried=tried,
            body=None if body is None else body.decode("utf-8", errors="replace"),
            content_type=CONTENT_TYPE,
            place=page_about(sent.about, ask.actor),
        )

    @pages.post(f"{LISTED}/{{id}}/replays", may=MANAGE, again=delivery)
    async def replay(ask: Ask) -> Response:
        """Once more, to the same endpoint under the same id."""
        await replay_delivery(ReplayDelivery(delivery_id=ask.path("id")), ask.work)
        return ask.see_other(f"{LISTED}/{ask.path('id')}", done="replayed")


def _sent(document: Mapping[str, Any]) -> Sent:
    return Sent(
        id=document["delivery_id"],
        endpoint_id=document["target"],
        event_id=document["event_id"],
        event_type=document["event_type"],
        about=document["about"],
        state=State(document["state"]),
        reason=_reason(document["reason"]),
        attempts=document["attempts"],
        replays=document["replays"],
        queued_at=document["queued_at"],
        settled_at=document.get("settled_at"),
    )


def _reason(word: str | None) -> str:
    return "" if word is None else REASONS.get(word, word)


def _tried(row: Mapping[str, Any], shows_address: bool) -> Tried:
    return Tried(
        started_at=row["started_at"],
        took_ms=row["took_ms"],
        status=row["status"],
        problem=_reason(row["error"]),
        address=(row["address"] or "") if shows_address else "",
        answer=bytes(row["answer"]).decode("utf-8", errors="replace"),
        is_replay=row["replay_id"] is not None,
    )
