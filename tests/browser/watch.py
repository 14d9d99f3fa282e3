"""What a page does while nobody looks: what it says to the console, and whom it asks for something."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
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
        self._ears = {
            "console": self._said,
            "pageerror": self._failed,
            "request": self._asked,
            "requestfinished": self._answered,
            "requestfailed": self._answered,
        }

    def begin(self) -> None:
        for what, ear in self._ears.items():
            self._page.on(what, ear)  # type: ignore[call-overload]

    def end(self) -> None:
        for what, ear in self._ears.items():
            self._page.remove_listener(what, ear)

    async def until_settled(self) -> None:
        """Everything that the page fetches to be whole has come. Only where scripts run."""
        await self._page.evaluate(_TWO_FRAMES)
        while self._under_way:
            await asyncio.wait_for(self._quiet.wait(), SETTLED_S)
            await self._page.evaluate(
                _TWO_FRAMES
            )  # What has come is put where it belongs, and may ask again.

    def _said(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        own_status = where == self._page.url and "status of" in message.text
        if not own_status:  # A page that refuses is told of by its status, which is looked at anyway.
            self.faults.append(f"it says to the console: {message.type}: {message.text} ({where})")

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


@contextmanager
def watching(page: Page, origin: str) -> Iterator[Watch]:
    watch = Watch(page, origin)
    watch.begin()
    try:
        yield watch
    finally:
        watch.end()
