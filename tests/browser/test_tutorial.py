"""Walks through docs/tutorial.md, step by step, as a newcomer would: what it names is there, what it types is
taken, and what it quotes is on the page in the end.

Each step of the tutorial has the function of its name here. The function says where a name is found when the
page has several; all else is the tutorial's own words, so a step that is reworded is walked as reworded.
"""

import os
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, TimeoutError, expect

from tests.browser.tutorial import Step, steps
from tests.browser.visitors import Visitors
from tests.support.road import until

pytestmark = pytest.mark.asyncio

WITHIN_S = 30.0
LOOK_MS = 2_000
PICTURES = {
    "Start the house": "personas",
    "Register a partner": "partner",
    "Send it for signature": "agreement",
    "Sign for the partner": "signed",
    "Suspend the partner": "suspended",
}


@dataclass
class Newcomer:
    """Takes the names of a step in their order; whatever is left over was named and not found."""

    page: Page
    copied: str = ""
    named: Iterator[str] = field(default_factory=lambda: iter(()))
    typed: Iterator[str] = field(default_factory=lambda: iter(()))

    def begins(self, step: Step) -> None:
        self.named, self.typed = iter(step.named), iter(step.typed)

    def has_nothing_left(self) -> bool:
        return next(self.named, None) is None and next(self.typed, None) is None

    async def click(self, times: int = 1, *, among: Locator | None = None) -> None:
        """The next name, or the next few: a link, a button or a choice that begins with it."""
        for _ in range(times):
            await self._thing(next(self.named), among or self.page.locator("body")).click()

    async def click_once_there(self) -> None:
        """The next name, on a page that is opened until it has come."""
        wanted = self._thing(next(self.named), self.page.locator("main"))
        await self._until(wanted)
        await wanted.click()

    async def fill(self, text: str | None = None) -> None:
        """The next name is a field; into it goes the next text, unless the page itself gives it."""
        field, text = self.page.get_by_label(next(self.named), exact=True), text or next(self.typed)
        if await field.evaluate("(element) => element.tagName") == "SELECT":
            await field.select_option(label=text)
        else:
            await field.fill(text)

    async def fill_date(self) -> None:
        fields = self.page.get_by_role("group", name=next(self.named)).get_by_role("textbox")
        await expect(fields).to_have_count(3)
        for number in range(3):
            await fields.nth(number).fill(next(self.typed))

    async def copy(self) -> str:
        return await self.page.get_by_label(next(self.named), exact=True).inner_text()

    async def sees(self, text: str) -> None:
        """What travels between services may come a moment later."""
        await self._until(self.page.locator("main").get_by_text(text).filter(visible=True).first)

    async def _until(self, wanted: Locator) -> None:
        async def is_there() -> bool:
            try:
                await wanted.wait_for(timeout=LOOK_MS)
            except TimeoutError:
                await self.page.reload()
                return False
            return True

        await until(is_there, WITHIN_S)

    def _thing(self, name: str, among: Locator) -> Locator:
        beginning = re.compile(rf"^\s*{re.escape(name)}")
        roles = [among.get_by_role(role, name=beginning) for role in ("link", "button", "radio")]
        return roles[0].or_(roles[1]).or_(roles[2]).first


# The steps.


async def start_the_house(newcomer: Newcomer) -> None:
    await newcomer.page.goto("/")


async def register_a_partner(newcomer: Newcomer) -> None:
    await newcomer.click(5)
    await newcomer.fill()
    await newcomer.click(2)
    await newcomer.fill()
    await newcomer.click()
    for _ in range(3):
        await newcomer.fill()
    await newcomer.click(2)


async def invite_somebody_to_speak_for_it(newcomer: Newcomer) -> None:
    await newcomer.click()
    for _ in range(3):
        await newcomer.fill()
    await newcomer.click()
    newcomer.copied = await newcomer.copy()


async def take_up_the_invitation(newcomer: Newcomer) -> None:
    await newcomer.click()
    await expect(newcomer.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    await newcomer.page.goto(newcomer.copied)
    await newcomer.click(2)


async def let_a_system_listen(newcomer: Newcomer) -> None:
    await newcomer.click(5)
    hint = await newcomer.page.locator("#url-hint").inner_text()
    await newcomer.fill(f"{hint.split()[-1]}?newcomer")  # Others use the receiver in this house too.
    await newcomer.fill()
    await newcomer.click()


async def draft_a_memorandum(newcomer: Newcomer) -> None:
    await newcomer.click(5)
    await newcomer.click_once_there()
    await newcomer.click(3)
    await newcomer.fill()
    await newcomer.click()
    await newcomer.fill()
    await newcomer.click()
    await newcomer.fill_date()
    await newcomer.click(2)


async def send_it_for_signature(newcomer: Newcomer) -> None:
    await newcomer.click()
    await newcomer.click(among=newcomer.page.locator("form"))


async def sign_for_the_organisation(newcomer: Newcomer) -> None:
    newcomer.copied = await newcomer.page.locator("main p bdi").first.inner_text()
    await sign(newcomer)


async def sign_for_the_partner(newcomer: Newcomer) -> None:
    await sign(newcomer)


async def see_who_was_told(newcomer: Newcomer) -> None:
    await newcomer.click()
    await newcomer.sees("is in force")
    await newcomer.click(4)
    await newcomer.sees("is in force")
    await newcomer.click(2)
    await newcomer.sees("The signature holds")
    await newcomer.click()


async def suspend_the_partner(newcomer: Newcomer) -> None:
    await newcomer.click(6)
    await newcomer.fill()
    await newcomer.click()


async def sign(newcomer: Newcomer) -> None:
    """There may be more to sign than what these steps are about."""
    await newcomer.click(3)
    task = newcomer.page.get_by_role("listitem").filter(has_text=newcomer.copied)
    await newcomer.sees(newcomer.copied)
    await newcomer.click(among=task)
    await newcomer.fill()
    await newcomer.click(among=newcomer.page.locator("main form"))


WALKED: dict[str, Callable[[Newcomer], Awaitable[None]]] = {
    one.__name__: one
    for one in (
        start_the_house,
        register_a_partner,
        invite_somebody_to_speak_for_it,
        take_up_the_invitation,
        let_a_system_listen,
        draft_a_memorandum,
        send_it_for_signature,
        sign_for_the_organisation,
        sign_for_the_partner,
        see_who_was_told,
        suspend_the_partner,
    )
}


async def test_every_step_of_the_tutorial_is_walked_here() -> None:
    assert [step.function for step in steps()] == list(WALKED)


async def test_the_tutorial_is_as_the_screens_are(visitors: Visitors, things: dict[str, str]) -> None:
    async with visitors.window() as page:
        newcomer = Newcomer(page)
        for step in steps():
            newcomer.begins(step)
            await WALKED[step.function](newcomer)
            for quoted in step.read:
                await newcomer.sees(quoted)
            assert newcomer.has_nothing_left(), f"{step.title!r} names what was not needed"
            await picture(page, step)


async def picture(page: Page, step: Step) -> None:
    """For the guides, where CONCORD_SCREENS_DIR says so."""
    folder = os.environ.get("CONCORD_SCREENS_DIR")
    if folder and step.title in PICTURES:
        await page.screenshot(path=Path(folder) / f"tutorial-{PICTURES[step.title]}.png")
