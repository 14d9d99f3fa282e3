"""What a person does with their inbox."""

from dataclasses import replace
from datetime import datetime

from services.notifications.inbox.commands import MarkAllAsRead, MarkAsRead
from services.notifications.inbox.documents import INBOX, item_of
from services.notifications.inbox.domain import InboxItem
from shared.errors import NotFound
from shared.storage.repository import Unit

# In one change; whoever has more unread presses again.
MARKED_AT_ONCE_MAX = 200


async def mark_as_read(command: MarkAsRead, unit: Unit) -> InboxItem:
    """Once: the first reading counts. Somebody else's item is not there."""
    document = await unit.get(INBOX, command.item_id)
    if document is None or document["person"] != unit.context.actor.id:
        raise NotFound("inbox_item_not_found", "There is no such item in your inbox", id=command.item_id[:64])
    item = item_of(document)
    if item.read_at is not None:
        return item
    read_at = _now(unit)
    unit.change.edit(INBOX, {"_id": item.id, "read_at": None}, {"$set": {"read_at": read_at}})
    return replace(item, read_at=read_at)


async def mark_all_as_read(command: MarkAllAsRead, unit: Unit) -> int:
    """How many were marked. Of two who do it at once, each marks what the other has not."""
    unread = {"person": unit.context.actor.id, "read_at": None, "seq": {"$lte": command.up_to}}
    found = unit.mongo[INBOX].find(unread, {"_id": 1}).sort("seq", -1).limit(MARKED_AT_ONCE_MAX)
    ids = [document["_id"] for document in await found.to_list(length=MARKED_AT_ONCE_MAX)]
    for id in ids:
        unit.change.edit_if_there(INBOX, {"_id": id, "read_at": None}, {"$set": {"read_at": _now(unit)}})
    return len(ids)


def _now(unit: Unit) -> datetime:
    """What is answered is what will be read: the database keeps milliseconds."""
    now = unit.context.now
    return now.replace(microsecond=now.microsecond // 1_000 * 1_000)
