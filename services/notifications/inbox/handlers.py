"""What a person does with their inbox."""

from dataclasses import replace

from services.notifications.inbox.commands import MarkAsRead
from services.notifications.inbox.documents import INBOX, item_of
from services.notifications.inbox.domain import InboxItem
from shared.errors import NotFound
from shared.storage.repository import Unit


async def mark_as_read(command: MarkAsRead, unit: Unit) -> InboxItem:
    """Once: the first reading counts. Somebody else's item is not there."""
    document = await unit.get(INBOX, command.item_id)
    if document is None or document["person"] != unit.context.actor.id:
        raise NotFound("inbox_item_not_found", "There is no such item in your inbox", id=command.item_id[:64])
    item = item_of(document)
    if item.read_at is not None:
        return item
    unread, now = {"_id": item.id, "read_at": None}, unit.context.now
    # What is answered is what will be read: the database keeps milliseconds.
    read_at = now.replace(microsecond=now.microsecond // 1_000 * 1_000)
    unit.change.edit(INBOX, unread, {"$set": {"read_at": read_at}})
    return replace(item, read_at=read_at)
