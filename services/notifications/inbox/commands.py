"""What may be asked of an inbox."""

from pydantic import BaseModel, ConfigDict


class MarkAsRead(BaseModel):
    model_config = ConfigDict(frozen=True)

    item_id: str


class MarkAllAsRead(BaseModel):
    """`up_to`: the number of the newest item they have seen; what came later stays unread."""

    model_config = ConfigDict(frozen=True)

    up_to: int
