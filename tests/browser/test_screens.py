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
        await page.emulate_media(color_scheme="light")
        with watching(page, visitors.house.url) as watch:
            faults = await opened(page, screen, things)
            await watch.until_settled()
            picture = pictures / f"{screen.name}-{language}"
            faults += await faults_when_wide(page, screen, language, picture)
            faults += await faults_when_narrow(page, screen, language, picture)
    faults += watch.faults
    assert not faults, "\n".join(faults)


async def faults_when_wide(page: Page, screen: Screen, language: str, picture: Path) -> list[str]:
    """Everything, in light colours; then the text at twice its size."""
    faults = await frame_faults(page, language)
    await in_both_colours(page, f"{picture}-{WIDE_PX}")
    faults += await axe_faults(page, screen.not_ours)
    faults += await larger_text_faults(page, language)
    return [f"{WIDE_PX} px: {fault}" for fault in faults]


async def faults_when_narrow(page: Page, screen: Screen, language: str, picture: Path) -> list[str]:
    """What the width may change, and the contrast of the dark colours, which are the same when wide."""
    await page.set_viewport_size({"width": NARROW_PX, "height": HEIGHT_PX})
    faults = await frame_faults(page, language)
    faults += await axe_faults(page, screen.not_ours, contrast=False)
    await in_both_colours(page, f"{picture}-{NARROW_PX}")
    await page.emulate_media(color_scheme="dark")
    faults += [f"in the dark: {fault}" for fault in await contrast_faults(page, screen.not_ours)]
    return [f"{NARROW_PX} px: {fault}" for fault in faults]


async def in_both_colours(page: Page, picture: str) -> None:
    """Pictures, and light in the end."""
    for colours in ("dark", "light"):
        await page.emulate_media(color_scheme=colours)
        await page.screenshot(path=f"{picture}-{colours}.png", full_page=True)


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
