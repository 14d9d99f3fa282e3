"""Since when there may be something new for somebody: when they were here the time before this one.

A visit goes on while its pages are less than half an hour apart, so what is new stays new while somebody
looks into it and comes back. Noting a visit is no command: it says nothing of the business, nobody else reads
it, and a visit that was not noted shows a few things twice. So it is one write beside the page.
"""

from datetime import datetime
from typing import Any

from pymongo import ReturnDocument

from services.notifications.tasks.documents import VISITS
from shared.storage.mongo import Mongo

VISIT_PAUSE_MS_MAX = 30 * 60 * 1_000


async def note_visit(mongo: Mongo, person_id: str, now: datetime) -> datetime | None:
    """When they were last here; nothing where this is the first time."""
    seen_at = {"$ifNull": ["$seen_at", None]}
    is_new = {"$gt": [{"$subtract": [now, seen_at]}, VISIT_PAUSE_MS_MAX]}
    before = {"$cond": [is_new, seen_at, {"$ifNull": ["$before", None]}]}
    edit: list[dict[str, Any]] = [{"$set": {"before": before, "seen_at": now}}]
    visit: dict[str, Any] = await mongo[VISITS].find_one_and_update(
        {"_id": person_id}, edit, upsert=True, return_document=ReturnDocument.AFTER
    )
    found: datetime | None = visit["before"]
    return found
