"""What a channel is to its sender: how wide the way to a target is now, and how one delivery is carried."""

from typing import Protocol

from services.notifications.deliveries.domain.delivery import GivenUp, Item, Result, Taken
from shared.contracts.notifications.delivery import Channel
from shared.storage.repository import Unit


class Carrier(Protocol):
    """Whatever the world outside does is a Result; what is raised is a fault of ours."""

    channel: Channel
    # The longest that one delivery takes.
    carry_s_max: float

    def width(self, target: str) -> int:
        """How many may be under way to a target now; 0 where it takes nothing."""
        ...

    def room(self, target: str, *, plenty: bool) -> int:
        """How many a sender may hold for an open target, those under way among them. With `plenty` of memory
        left a burst is held where it would otherwise be parked and fetched again.
        """
        ...

    def closed_because(self, target: str) -> str:
        """Why nothing is taken now, as a word for whoever asks after the delivery."""
        ...

    async def carry(self, item: Item) -> Result: ...

    async def stage(self, item: Item, result: Taken | GivenUp, unit: Unit) -> None:
        """What is written together with the outcome."""
        ...
