"""The harness itself: a page that is wrong is found to be wrong, and one that is right is left alone."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route

from tests.browser.keyboard import by_keyboard, focus_kept
from tests.browser.look import axe_faults, contrast_faults, frame_faults, larger_text_faults
from tests.browser.watch import Watch

pytestmark = pytest.mark.asyncio

ORIGIN = "http://127.0.0.1:9"
ADDRESS = f"{ORIGIN}/page"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src *"
BODY = """<main><h1>Partners</h1><label for="name">Name</label><input id="name">
  <fieldset><legend>Kind</legend>
    <input type="radio" name="kind" id="a"><label for="a">Government</label>
    <input type="radio" name="kind" id="b"><label for="b">Civil society</label>
  </fieldset>
  <label for="country">Country</label><select id="country"><option>Chad<option>Kenya</select>
  <label for="sure">I am sure</label><input type="checkbox" id="sure"><button>Save</button></main>"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 320, "height": 600})
    yield await context.new_page()
    await context.close()


async def shown(page: Page, body: str = BODY, style: str = "", *, lang: str = "en") -> Watch:
    """The page as it would come from a house of ours, under a policy as strict."""
    head = f"<meta charset=utf-8><title>Page</title><style>{style}</style>"
    html = f"<!doctype html><html lang={lang}>{head}{body}"

    async def answer(route: Route) -> None:
        await route.fulfill(body=html, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    await page.route(ADDRESS, answer)
    await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
    watch = Watch(page, ORIGIN)
    watch.begin()
    await page.goto(ADDRESS)
    await watch.until_settled()
    return watch


async def faults_of(page: Page, watch: Watch) -> str:
    return "\n".join([*await frame_faults(page, "en"), *await axe_faults(page), *watch.faults])


async def test_a_good_page_is_left_alone(page: Page) -> None:
    watch = await shown(page)
    assert await faults_of(page, watch) == ""


@pytest.mark.parametrize(
    ("body", "style", "fault"),
    [
        (f"{BODY}<img src=/static/none.png alt=''>", "", "it says to the console: error"),
        (
            f"{BODY}<img src='http://example.org/x.png' alt=''>",
            "",
            "it asks another origin: http://example.org",
        ),
        (f"{BODY}<script>1</script>", "", "it says to the console: error"),
        (f"{BODY}<p style='width: 400px'>wide</p>", "", "it scrolls sideways by"),
        (f"{BODY}<p style='color: #999'>pale</p>", "body { background: #fff }", "axe color-contrast"),
        (f"{BODY}<input>", "", "axe label"),
        (f"{BODY}<h1>Another</h1>", "", "it has 2 h1"),
    ],
)
async def test_a_page_that_is_wrong_is_found_to_be_wrong(
    page: Page, body: str, style: str, fault: str
) -> None:
    assert fault in await faults_of(page, await shown(page, body, style))


async def test_a_page_in_another_language_is_found(page: Page) -> None:
    await shown(page, lang="ar")
    assert "should be en" in str(await frame_faults(page, "en"))
    assert "should be ar" in str(await frame_faults(page, "ar")), "Arabic is read from the right"


async def test_what_is_only_wrong_in_the_dark_is_found_there(page: Page) -> None:
    dark = "@media (prefers-color-scheme: dark) { body { background: #222; color: #333 } }"
    watch = await shown(page, style=dark)
    assert await faults_of(page, watch) == ""
    await page.emulate_media(color_scheme="dark")
    assert "color-contrast" in str(await contrast_faults(page))


async def test_a_page_that_larger_text_pushes_off_the_edge_is_found(page: Page) -> None:
    watch = await shown(page, f"{BODY}<p style='width: 15rem'>A line</p>")
    assert await faults_of(page, watch) == ""
    assert "scrolls sideways" in str(await larger_text_faults(page, "en"))


async def test_a_focus_that_a_replaced_part_lost_is_found(page: Page) -> None:
    await shown(page)
    await by_keyboard(page).go_to(page.get_by_label("Name"))
    replaced = (
        "() => { const main = document.querySelector('main'); main.replaceWith(main.cloneNode(true)); }"
    )
    with pytest.raises(AssertionError, match="focused"):
        async with focus_kept(page, within_ms=500):
            await page.evaluate(replaced)
    await by_keyboard(page).go_to(page.get_by_label("Name"))
    async with focus_kept(page):
        await page.evaluate("() => document.querySelector('main').append('more')")


async def test_everything_is_reached_by_keyboard(page: Page) -> None:
    await shown(page)
    keys = by_keyboard(page)
    await keys.write("Name", "Lakeside")
    await keys.choose("Civil society")
    await keys.pick("Country", "Kenya")
    await keys.press("checkbox", "I am sure")
    assert await page.get_by_label("Name").input_value() == "Lakeside"
    assert await page.get_by_label("Civil society").is_checked()
    assert await page.get_by_label("I am sure").is_checked()


async def test_what_the_keyboard_cannot_reach_is_found(page: Page) -> None:
    await shown(page, f"{BODY}<a role=button>Only for the mouse</a>")
    with pytest.raises(AssertionError, match="Tab does not reach"):
        await by_keyboard(page).press("button", "Only for the mouse")
