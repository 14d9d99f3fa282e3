"""What may be asked of deliveries."""

from pydantic import BaseModel, ConfigDict


class ReplayDelivery(BaseModel):
    model_config = ConfigDict(frozen=True)

    delivery_id: str
