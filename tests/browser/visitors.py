"""People with a browser. Somebody signs in by clicking, once; what their browser then keeps is given to every
window that is opened for them.

A window is a fresh one for a journey, and a standing one for looking: opening one takes longer than all the
looking, so a few are kept open and led from screen to screen.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, StorageState, StorageStateCookie, expect

from deploy.local.personas import persona_by_key
from deploy.local.ports import LOOPBACK
from shared.web.language import COOKIE
from shared.web.site import SIGN_IN
from tests.browser.chromium import TIMEOUT_MS
from tests.support.browsing import session_cookie
from tests.support.house import House

HEIGHT_PX = 800
WIDE_PX = 1_280
NARROW_PX = 320
STANDING_MAX = 4

Wanted = tuple[str | None, str, bool]


class Visitors:
    """`persona` is one of the demonstration's people by key, or any other subject: somebody whom nobody has
    admitted yet; None: nobody is signed in. Addresses are relative to the house.
    """

    def __init__(self, browser: Browser, house: House) -> None:
        self._browser, self.house = browser, house
        self._kept: dict[str, StorageState] = {}
        self._standing: OrderedDict[Wanted, Page] = OrderedDict()

    @asynccontextmanager
    async def window(
        self,
        persona: str | None = None,
        language: str = "en",
        *,
        width_px: int = WIDE_PX,
        javascript: bool = True,
    ) -> AsyncIterator[Page]:
        """A fresh window, for a journey."""
        context = await self.context(persona, language, width_px=width_px, javascript=javascript)
        try:
            yield await context.new_page()
        finally:
            await context.close()

    @asynccontextmanager
    async def standing_window(
        self, persona: str | None, language: str, *, javascript: bool = True
    ) -> AsyncIterator[Page]:
        """One that others have looked through and will again: for pages that are only read."""
        wanted = (persona, language, javascript)
        page = self._standing.pop(wanted, None)
        if page is None:
            context = await self.context(persona, language, javascript=javascript)
            page = await context.new_page()
        try:
            yield page
        except BaseException:
            await page.context.close()  # Nobody knows what state it is in.
            raise
        self._standing[wanted] = page
        if len(self._standing) > STANDING_MAX:
            _, longest_unused = self._standing.popitem(last=False)
            await longest_unused.context.close()

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
        if persona_by_key(persona) is None:
            return self._stranger(persona)
        if persona not in self._kept:
            async with self.window() as page:
                await sign_in(page, persona)
                self._kept[persona] = await page.context.storage_state()
        return self._kept[persona]

    def _stranger(self, subject: str) -> StorageState:
        """With the very cookie that the sign-in makes; the demonstration's has no page for everybody."""
        app: Any = self.house.served["partners"].app
        made = session_cookie(app.state.site, subject, name=subject, issuer=self.house.provider.issuer)
        return {"cookies": [_cookie(name, value) for name, value in made.items()], "origins": []}


def _cookie(name: str, value: str) -> StorageStateCookie:
    return {
        "name": name,
        "value": value,
        "domain": LOOPBACK,
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": True,
        "sameSite": "Lax",
    }


async def sign_in(page: Page, persona: str) -> None:
    """As anybody does in a demonstration: choose who to be."""
    await page.goto(SIGN_IN)
    await page.locator(f'main a[href*="persona={persona}&"]').click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
