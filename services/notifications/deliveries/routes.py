"""Deliveries over HTTP: what was sent to whom, what each attempt showed, and sending again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query

from services.notifications.deliveries import handlers
from services.notifications.deliveries.commands import ReplayDelivery
from services.notifications.deliveries.documents import ATTEMPTS, DELIVERIES
from services.notifications.deliveries.domain.delivery import State
from services.notifications.deliveries.queries import READ, seen_by
from shared.contracts.notifications.delivery import Channel
from shared.http.app import Answer, Routes, Work
from shared.http.paging import Page, Paging, page_of

ID_CHARACTERS_MAX = 64

routes = Routes("notifications", room="deliveries")

_Id = Annotated[str | None, Query(max_length=ID_CHARACTERS_MAX)]


class DeliveryOut(Answer):
    """`reason`: why it waits, was put off or was given up, as a word."""

    id: str
    channel: Channel
    recipient: str
    event_id: str
    event_type: str
    about: str
    state: State
    reason: str | None
    attempts: int
    replays: int
    queued_at: datetime
    settled_at: datetime | None


class AttemptOut(Answer):
    """`answer` is the beginning of what came back; `address` is shown to those who run the house."""

    started_at: datetime
    took_ms: int
    outcome: str
    error: str | None
    status: int | None
    answer: str
    address: str | None
    replay_id: str | None


class ReplayOut(Answer):
    delivery_id: str
    replay_id: str


@routes.get("/deliveries", may=READ)
async def list_deliveries(
    paging: Paging,
    work: Work,
    about: _Id = None,
    event_id: _Id = None,
    recipient: _Id = None,
    state: State | None = None,
) -> Page[DeliveryOut]:
    """What was sent, the newest events first."""
    asked = {"about": about, "event_id": event_id, "recipient": recipient, "state": state}
    query = {name: value for name, value in asked.items() if value is not None}
    return await page_of(
        work.mongo[DELIVERIES],
        {**seen_by(work.context.actor), **query},
        paging=paging,
        make=_delivery,
        sort=[("delivery_id", -1), ("_id", 1)],
    )


@routes.get("/deliveries/{id}", may=READ)
async def read_delivery(id: str, work: Work) -> DeliveryOut:
    return _delivery(await handlers.find_for(work.context.actor, id, work, permission=READ))


@routes.get("/deliveries/{id}/attempts", may=READ)
async def list_attempts(id: str, paging: Paging, work: Work) -> Page[AttemptOut]:
    """What each attempt showed, the first first."""
    actor = work.context.actor
    delivery = await handlers.find_for(actor, id, work, permission=READ)
    shows_address = handlers.sees_all(actor, READ)
    return await page_of(
        work.mongo[ATTEMPTS],
        {"delivery": delivery["_id"]},
        paging=paging,
        make=lambda row: _attempt(row, shows_address=shows_address),
        sort=[("started_at", 1), ("_id", 1)],
    )


@routes.post("/deliveries/{id}/replays", status=202, may="endpoint:manage")
async def replay_delivery(id: str, work: Work) -> ReplayOut:
    """Send it once more, to the same endpoint under the same id."""
    replay_id = await handlers.replay_delivery(ReplayDelivery(delivery_id=id), work)
    return ReplayOut(delivery_id=id, replay_id=replay_id)


def _delivery(document: Mapping[str, Any]) -> DeliveryOut:
    return DeliveryOut(
        id=document["delivery_id"],
        channel=document["channel"],
        recipient=document["recipient"],
        event_id=document["event_id"],
        event_type=document["event_type"],
        about=document["about"],
        state=document["state"],
        reason=document["reason"],
        attempts=document["attempts"],
        replays=document["replays"],
        queued_at=document["queued_at"],
        settled_at=document.get("settled_at"),
    )


def _attempt(row: Mapping[str, Any], *, shows_address: bool) -> AttemptOut:
    return AttemptOut(
        started_at=row["started_at"],
        took_ms=row["took_ms"],
        outcome=row["outcome"],
        error=row["error"],
        status=row["status"],
        answer=bytes(row["answer"]).decode("utf-8", errors="replace"),
        address=row["address"] if shows_address else None,
        replay_id=row["replay_id"],
    )
