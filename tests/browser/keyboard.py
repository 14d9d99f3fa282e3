"""Somebody who uses no mouse: Tab until the thing has the focus, then the keys that it takes.

keys = by_keyboard(page)
await keys.press("link", "Register a partner")
await keys.write("Legal name", "Lakeside Residents' Federation")
await keys.choose("Civil society")
await keys.press("button", "Save and continue")
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Locator, Page, expect

Role = Literal["link", "button", "checkbox", "menuitem", "tab", "row"]

TABS_MAX = 150
ARROWS_MAX = 40
FOCUS_MS = 5_000
_HAS_FOCUS = "(element) => element === document.activeElement"
_IN_ITS_GROUP = "(element) => document.activeElement?.name === element.name"


class Keyboard:
    def __init__(self, page: Page) -> None:
        self.page = page

    async def press(self, role: Role, name: str) -> None:
        """Go to it and do what it does."""
        await self.go_to(self.page.get_by_role(role, name=name, exact=True))
        await self.page.keyboard.press("Space" if role == "checkbox" else "Enter")

    async def write(self, label: str, text: str) -> None:
        """Into a field, in place of what is there."""
        await self.go_to(self.page.get_by_label(label, exact=True))
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def write_date(self, group: str, parts: Sequence[str]) -> None:
        """Into the fields of a date: day, month, year."""
        for field, part in zip(await self._fields(group), parts, strict=True):
            await self.go_to(field)
            await self.page.keyboard.press("Control+A")
            await self.page.keyboard.type(part)

    async def choose(self, label: str) -> None:
        """One of several, by the beginning of its name: with the arrows, once one of them has the focus."""
        wanted = self.page.get_by_role("radio", name=re.compile(rf"^{re.escape(label)}"))
        await self._tab_until(wanted, _IN_ITS_GROUP)
        for _ in range(ARROWS_MAX):
            if await wanted.is_checked():
                return
            await self.page.keyboard.press("Space" if await wanted.evaluate(_HAS_FOCUS) else "ArrowDown")
        raise AssertionError(f"the arrows do not reach {label!r}")

    async def pick(self, label: str, option: str) -> None:
        """From a list: by typing what it says."""
        field = self.page.get_by_label(label, exact=True)
        await self.go_to(field)
        await self.page.keyboard.type(option)
        chosen = await field.evaluate("(element) => element.selectedOptions[0].label")
        assert chosen == option, f"typing {option!r} picks {chosen!r}"

    async def go_to(self, wanted: Locator) -> None:
        await expect(wanted).to_have_count(1)
        await self._tab_until(wanted, _HAS_FOCUS)

    async def _fields(self, group: str) -> list[Locator]:
        found = self.page.get_by_role("group", name=group).get_by_role("textbox")
        await expect(found).to_have_count(3)
        return await found.all()

    async def _tab_until(self, wanted: Locator, holds: str) -> None:
        for _ in range(TABS_MAX):
            if await wanted.evaluate(holds):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {wanted}")


@asynccontextmanager
async def focus_kept(page: Page, *, within_ms: float = FOCUS_MS) -> AsyncIterator[None]:
    """What happens in the block replaces a part of the page; whoever was somewhere in it still is."""
    before = await page.evaluate("() => document.activeElement.id")
    assert before, "nothing that has an id has the focus"
    yield
    await expect(page.locator(f"[id='{before}']")).to_be_focused(timeout=within_ms)


def by_keyboard(page: Page) -> Keyboard:
    return Keyboard(page)
