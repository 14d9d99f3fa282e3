"""Waking those who wait at the end of the feed. Other processes' arrivals are found by looking again."""

import asyncio

LOOK_AGAIN_S = 1.0


class Arrivals:
    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        arrived, self._next = self._next, asyncio.Event()
        arrived.set()

    def coming(self) -> asyncio.Event:
        """To be taken before looking, so that nothing that comes in between is missed."""
        return self._next

    async def wait(self, coming: asyncio.Event, at_most_s: float) -> None:
        try:
            await asyncio.wait_for(coming.wait(), min(at_most_s, LOOK_AGAIN_S))
        except TimeoutError:
            return
