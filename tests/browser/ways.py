"""Two ways to do the same with a page: by keyboard alone, and with JavaScript off.

A journey is written once, against `Way`, and walked both ways.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from playwright.async_api import Locator, Page, expect

from tests.browser.keyboard import Role, by_keyboard
from tests.browser.visitors import Visitors
from tests.support.road import until


class Way(Protocol):
    """`press`: a link or a button by its whole name. The others fill a field in by its label."""

    page: Page

    async def press(self, role: Role, name: str) -> None: ...
    async def write(self, label: str, text: str) -> None: ...
    async def write_date(self, group: str, parts: Sequence[str]) -> None: ...
    async def choose(self, label: str) -> None: ...
    async def pick(self, label: str, option: str) -> None: ...


class ByPointer:
    """With what a mouse or a finger can do."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def press(self, role: Role, name: str) -> None:
        await self.page.get_by_role(role, name=name, exact=True).click()

    async def write(self, label: str, text: str) -> None:
        await self.page.get_by_label(label, exact=True).fill(text)

    async def write_date(self, group: str, parts: Sequence[str]) -> None:
        fields = self.page.get_by_role("group", name=group).get_by_role("textbox")
        await expect(fields).to_have_count(len(parts))
        for number, part in enumerate(parts):
            await fields.nth(number).fill(part)

    async def choose(self, label: str) -> None:
        await radio(self.page, label).check()

    async def pick(self, label: str, option: str) -> None:
        await self.page.get_by_label(label, exact=True).select_option(label=option)


@dataclass(frozen=True, kw_only=True)
class Walk:
    """How a journey is walked: `window` opens one for somebody, in which things are done this way."""

    name: str
    javascript: bool

    @asynccontextmanager
    async def window(self, visitors: Visitors, who: str | None) -> AsyncIterator[Way]:
        async with visitors.window(who, javascript=self.javascript) as page:
            yield self.on(page)

    def on(self, page: Page) -> Way:
        return by_keyboard(page) if self.javascript else ByPointer(page)


KEYBOARD = Walk(name="by keyboard alone", javascript=True)
WITHOUT_SCRIPT = Walk(name="without JavaScript", javascript=False)


def radio(page: Page, label: str) -> Locator:
    """By the beginning of its name: the rest is what explains it."""
    return page.get_by_role("radio", name=re.compile(rf"^{re.escape(label)}"))


async def says(page: Page, text: str) -> None:
    await expect(page.locator("main")).to_contain_text(text)


async def headed(page: Page, title: str) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)


async def until_shown(page: Page, path: str, wanted: Locator) -> None:
    """Opens the page until what travels between services has come; each look waits for the page itself."""

    async def is_there() -> bool:
        await page.goto(path)
        return await wanted.count() > 0

    await until(is_there, 30.0)
