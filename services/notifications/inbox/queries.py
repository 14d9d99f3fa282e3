"""Reading an inbox: its items, how many wait to be read, and what came since a moment."""

from datetime import datetime

from services.notifications.inbox.documents import INBOX, item_of
from services.notifications.inbox.domain import InboxItem
from shared.storage.mongo import Mongo

COUNTED_MAX = 100


async def unread(mongo: Mongo, person_id: str) -> int:
    """At most COUNTED_MAX: nobody reads a larger number."""
    query = {"person": person_id, "read_at": None}
    return int(await mongo[INBOX].count_documents(query, limit=COUNTED_MAX))


async def told_since(mongo: Mongo, person_id: str, since: datetime | None, limit: int) -> list[InboxItem]:
    """The newest first; without a moment simply the last ones. An inbox is in the order of its numbers, so
    what is older than the moment ends the reading.
    """
    last = mongo[INBOX].find({"person": person_id}).sort("seq", -1).limit(limit)
    found = [item_of(document) for document in await last.to_list(length=limit)]
    return [item for item in found if since is None or item.at > since]
