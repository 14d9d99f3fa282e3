"""One item of a person's inbox, as its reader sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class InboxItem:
    """`seq` is the item's place in this person's inbox: 1, 2, 3 and so on, never twice."""

    id: str
    person: str
    seq: int
    event_id: str
    event_type: str
    about: str
    content: Mapping[str, str]
    at: datetime
    read_at: datetime | None
