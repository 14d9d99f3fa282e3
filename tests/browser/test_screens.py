"""Every screen, for everybody: in each language, light and dark, wide and narrow, without JavaScript too."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from shared.web.language import LANGUAGES
from tests.browser.look import axe_faults, contrast_faults, frame_faults
from tests.browser.screens import SCREENS, Screen
from tests.browser.visitors import NARROW_PX, WIDE_PX, Visitors
from tests.browser.watch import Watch

pytestmark = pytest.mark.asyncio

Things = dict[str, str]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_a_screen_is_right_at_every_width_and_in_all_its_colours(
    visitors: Visitors, things: Things, pictures: Path, screen: Screen, language: str
) -> None:
    async def tried(width_px: int) -> list[str]:
        async with visitors.window(screen.persona, language, width_px=width_px) as page:
            watch = Watch(page, visitors.house.url)
            faults = await opened(page, screen, things)
            await watch.until_settled()
            faults += await frame_faults(page, language)
            picture = pictures / f"{screen.name}-{language}-{width_px}"
            await page.screenshot(path=f"{picture}-light.png", full_page=True)
            faults += await axe_faults(page)
            await page.emulate_media(color_scheme="dark")
            await page.screenshot(path=f"{picture}-dark.png", full_page=True)
            faults += [f"in the dark, {fault}" for fault in await contrast_faults(page)]
            return [f"{width_px} px: {fault}" for fault in faults + watch.faults]

    wide, narrow = await asyncio.gather(tried(WIDE_PX), tried(NARROW_PX))
    assert wide + narrow == []


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_a_screen_is_whole_without_javascript(
    visitors: Visitors, things: Things, screen: Screen
) -> None:
    async with visitors.window(screen.persona, width_px=NARROW_PX, javascript=False) as page:
        watch = Watch(page, visitors.house.url)
        faults = await opened(page, screen, things)
        faults += await frame_faults(page, "en")
        assert faults + watch.faults == []


async def opened(page: Page, screen: Screen, things: Things) -> list[str]:
    answer = await page.goto(screen.path.format_map(things))
    await expect(page.locator(screen.ready).first).to_be_visible()
    assert answer is not None
    return [] if answer.status == screen.status else [f"its status is {answer.status}"]
