"""What may be asked of an inbox."""

from pydantic import BaseModel, ConfigDict


class MarkAsRead(BaseModel):
    model_config = ConfigDict(frozen=True)

    item_id: str
