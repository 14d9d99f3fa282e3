"""People with a browser. Somebody signs in by clicking, once; what their browser then keeps is given to every
window that is opened for them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, Page, StorageState, expect

from shared.web.language import COOKIE
from shared.web.site import SIGN_IN
from tests.browser.chromium import TIMEOUT_MS
from tests.support.house import House

HEIGHT_PX = 800
WIDE_PX = 1_280
NARROW_PX = 320


class Visitors:
    def __init__(self, browser: Browser, house: House) -> None:
        self._browser, self.house = browser, house
        self._kept: dict[str, StorageState] = {}

    @asynccontextmanager
    async def window(
        self,
        persona: str | None = None,
        language: str = "en",
        *,
        width_px: int = WIDE_PX,
        javascript: bool = True,
    ) -> AsyncIterator[Page]:
        """A page of somebody who is signed in, or of nobody; addresses are relative to the house."""
        context = await self.context(persona, language, width_px=width_px, javascript=javascript)
        try:
            yield await context.new_page()
        finally:
            await context.close()

    async def context(
        self,
        persona: str | None = None,
        language: str = "en",
        *,
        width_px: int = WIDE_PX,
        javascript: bool = True,
    ) -> BrowserContext:
        """For those who need several pages that share their cookies. It is the caller's to close."""
        context = await self._browser.new_context(
            base_url=self.house.url,
            viewport={"width": width_px, "height": HEIGHT_PX},
            java_script_enabled=javascript,
            reduced_motion="reduce",  # Colours that are on their way are no colours to judge.
            locale=language,
            storage_state=None if persona is None else await self._signed_in(persona),
        )
        context.set_default_timeout(TIMEOUT_MS)
        await context.add_cookies([{"name": COOKIE, "value": language, "url": self.house.url}])
        return context

    async def _signed_in(self, persona: str) -> StorageState:
        if persona not in self._kept:
            async with self.window() as page:
                await sign_in(page, persona)
                self._kept[persona] = await page.context.storage_state()
        return self._kept[persona]


async def sign_in(page: Page, persona: str) -> None:
    """As anybody does in a demonstration: choose who to be."""
    await page.goto(SIGN_IN)
    card = page.locator(f'button[name="persona"][value="{persona}"]')
    await card.click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
