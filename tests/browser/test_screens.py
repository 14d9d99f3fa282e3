"""Every screen, for everybody: in each language, light and dark, wide and narrow, without JavaScript too."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from shared.web.language import LANGUAGES
from shared.web.pages import PageRoute
from shared.web.site import SIGN_IN
from tests.browser.look import axe_faults, contrast_faults, fonts_of, frame_faults, larger_text_faults
from tests.browser.screens import FRAGMENTS, NOT_SCREENS, SCREENS, Screen
from tests.browser.visitors import HEIGHT_PX, NARROW_PX, WIDE_PX, Visitors
from tests.browser.watch import watching

pytestmark = pytest.mark.asyncio

Things = dict[str, str]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_a_screen_is_right_at_every_width_and_in_all_its_colours(
    visitors: Visitors, things: Things, pictures: Path, screen: Screen, language: str
) -> None:
    async with visitors.standing_window(screen.persona, language) as page:
        await page.set_viewport_size({"width": WIDE_PX, "height": HEIGHT_PX})
        with watching(page, visitors.house.url) as watch:
            faults = await opened(page, screen, things)
            await watch.until_settled()
            for width_px in (WIDE_PX, NARROW_PX):
                await page.set_viewport_size({"width": width_px, "height": HEIGHT_PX})
                picture = pictures / f"{screen.name}-{language}-{width_px}"
                found = await faults_in_all_colours(page, screen, language, picture)
                faults += [f"{width_px} px: {fault}" for fault in found]
            await page.set_viewport_size({"width": WIDE_PX, "height": HEIGHT_PX})
            faults += await larger_text_faults(page, language)
    faults += watch.faults
    assert not faults, "\n".join(faults)


async def faults_in_all_colours(page: Page, screen: Screen, language: str, picture: Path) -> list[str]:
    await page.emulate_media(color_scheme="light")
    faults = [*await frame_faults(page, language), *await axe_faults(page, screen.not_ours)]
    await page.screenshot(path=f"{picture}-light.png", full_page=True)
    await page.emulate_media(color_scheme="dark")
    faults += [f"in the dark: {fault}" for fault in await contrast_faults(page, screen.not_ours)]
    await page.screenshot(path=f"{picture}-dark.png", full_page=True)
    return faults


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
async def test_a_screen_is_whole_without_javascript(
    visitors: Visitors, things: Things, screen: Screen
) -> None:
    async with visitors.standing_window(screen.persona, "en", javascript=False) as page:
        await page.set_viewport_size({"width": NARROW_PX, "height": HEIGHT_PX})
        with watching(page, visitors.house.url) as watch:
            faults = await opened(page, screen, things)
            faults += await frame_faults(page, "en")
    faults += watch.faults
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("language", "font"),
    [("ar", "Noto Sans Arabic"), ("zh", "Noto Sans CJK SC"), ("ru", "Noto Sans"), ("fr", "Noto Sans")],
)
async def test_a_name_is_drawn_with_a_font_that_was_made_for_it(
    visitors: Visitors, language: str, font: str
) -> None:
    async with visitors.standing_window(None, "en") as page:
        await page.goto(SIGN_IN)
        drawn = await fonts_of(page, f"main bdi.name[lang={language}]")
    assert font in drawn
    assert drawn <= {font, "Noto Sans"}, "spaces may come from another font, letters not"


async def test_every_page_is_listed_as_a_screen(visitors: Visitors) -> None:
    rooms = [room for one in visitors.house.served.values() for room in one.application.rooms]
    routes = [route for room in rooms for routes in room.routes for route in routes.routes]
    pages = {
        route.path for route in routes if isinstance(route, PageRoute) and "GET" in (route.methods or ())
    }
    whole = {page for page in map(nameless, pages) if not any(part in page for part in FRAGMENTS)}
    listed = {nameless(screen.path.partition("?")[0]) for screen in SCREENS}
    missing = sorted(whole - listed - NOT_SCREENS.keys())
    assert not missing, "List it in tests/browser/screens.py:\n" + "\n".join(missing)


def nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


async def opened(page: Page, screen: Screen, things: Things) -> list[str]:
    answer = await page.goto(screen.path.format_map(things))
    await expect(page.locator(screen.ready).first).to_be_visible()
    assert answer is not None
    return [] if answer.status == screen.status else [f"its status is {answer.status}"]
