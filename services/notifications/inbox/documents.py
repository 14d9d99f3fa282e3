"""Items in the order a person got them, and how many each person has had."""

from collections.abc import Mapping
from typing import Any

from services.notifications.inbox.domain import InboxItem
from shared.storage.documents import Collection, Index

INBOX = "inbox"
COUNTERS = "inbox_counters"

INBOX_KEPT = Collection(
    name=INBOX,
    indexes=(
        Index(name="of_person", keys=(("person", 1), ("seq", 1)), unique=True),
        Index(name="unread_of_person", keys=(("person", 1), ("seq", -1)), only_where={"read_at": None}),
    ),
)
COUNTERS_KEPT = Collection(name=COUNTERS)


def item_of(document: Mapping[str, Any]) -> InboxItem:
    return InboxItem(
        id=document["_id"],
        person=document["person"],
        seq=document["seq"],
        event_id=document["event_id"],
        event_type=document["event_type"],
        about=document["about"],
        content=document["content"],
        at=document["at"],
        read_at=document["read_at"],
    )
