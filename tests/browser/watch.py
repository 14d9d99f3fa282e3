"""What a page does while nobody looks: what it says to the console, and whom it asks for something."""

import asyncio
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Error, Page, Request

SETTLED_S = 10
_ASKING_NOBODY = frozenset({"data", "blob"})
# Two frames: by then what a script begins when the page is there has begun.
_TWO_FRAMES = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"


class Watch:
    """Of one page. `faults` is what it should not have done so far."""

    def __init__(self, page: Page, origin: str) -> None:
        self.faults: list[str] = []
        self._page, self._origin = page, origin
        self._under_way: set[Request] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        page.on("console", self._said)
        page.on("pageerror", self._failed)
        page.on("request", self._asked)
        page.on("requestfinished", self._answered)
        page.on("requestfailed", self._answered)

    async def until_settled(self) -> None:
        """Everything that the page fetches to be whole has come. Only where scripts run."""
        await self._page.evaluate(_TWO_FRAMES)
        await asyncio.wait_for(self._quiet.wait(), SETTLED_S)

    def _said(self, message: ConsoleMessage) -> None:
        own_status = message.location.get("url") == self._page.url and "status of" in message.text
        if not own_status:  # A page that refuses is told of by its status, which is looked at anyway.
            self.faults.append(f"it says to the console: {message.type}: {message.text}")

    def _failed(self, error: Error) -> None:
        self.faults.append(f"its script fails: {error.message}")

    def _asked(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in _ASKING_NOBODY:
            return
        if f"{address.scheme}://{address.netloc}" != self._origin:
            self.faults.append(f"it asks another origin: {request.url}")
        if request.resource_type != "eventsource":  # Which never ends.
            self._under_way.add(request)
            self._quiet.clear()

    def _answered(self, request: Request) -> None:
        self._under_way.discard(request)
        if not self._under_way:
            self._quiet.set()
