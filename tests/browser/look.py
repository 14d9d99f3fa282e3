"""Looks at a page as somebody who depends on it would: axe for the rules of WCAG 2.2 AA that a program can
check, and what it cannot see: the language, one heading, no sideways scrolling.

axe is evaluated in the page, never added to it: the page's policy refuses scripts that are not its own.
"""

from functools import cache
from typing import Any, TypedDict

from playwright.async_api import Page

from shared.settings import Settings
from shared.web.language import direction_of

AXE = "axe_playwright_python/axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
CONTRAST = "color-contrast"
SHOWN_MAX = 5

_RUN_AXE = """async ([runOnly, rules, exclude]) => {
  const what = exclude ? {exclude: [exclude]} : document;
  const found = await axe.run(what, {runOnly, rules, resultTypes: ["violations"]});
  const where = (nodes) => nodes.map((node) => node.target.join(" "));
  return found.violations.map(({id, help, nodes}) => ({id, help, nodes: where(nodes)}));
}"""
_FRAME = """() => {
  const root = document.documentElement, width = root.clientWidth;
  const around = (element) =>
    getComputedStyle(element).position === "absolute" ? element.offsetParent : element.parentElement;
  const scrollsAlone = (element) => element && element !== document.body
    && (getComputedStyle(element).overflowX !== "visible" || scrollsAlone(around(element)));
  const beyond = [...document.body.querySelectorAll("*")].filter((element) => {
    const place = element.getBoundingClientRect();
    const isBeyond = place.width > 0 && (place.right > width + 1 || place.left < -1);
    return isBeyond && !scrollsAlone(around(element));
  });
  return {
    lang: root.lang, dir: getComputedStyle(root).direction, headings: document.querySelectorAll("h1").length,
    title: document.title, sideways: document.scrollingElement.scrollWidth - width,
    beyond: beyond.slice(0, 5).map((element) => element.outerHTML.slice(0, 120)),
  };
}"""

_TEXT_SIZE = "(size) => { document.documentElement.style.fontSize = size; }"


class _Frame(TypedDict):
    lang: str
    dir: str
    headings: int
    title: str
    sideways: int
    beyond: list[str]


@cache
def _axe() -> str:
    return (Settings(demo=True).web_folder / AXE).read_text()


async def frame_faults(page: Page, language: str) -> list[str]:
    """What holds for every page, at every width and without any script."""
    seen: _Frame = await page.evaluate(_FRAME)
    faults = []
    if (seen["lang"], seen["dir"]) != (language, direction_of(language)):
        faults.append(f"it says that it is {seen['lang']!r} and {seen['dir']}, and should be {language}")
    if seen["headings"] != 1:
        faults.append(f"it has {seen['headings']} h1")
    if not seen["title"].strip():
        faults.append("it has no title")
    if seen["sideways"] > 0:
        faults.append(f"it scrolls sideways by {seen['sideways']} px; beyond the edge: {seen['beyond']}")
    return faults


async def larger_text_faults(page: Page, language: str) -> list[str]:
    """With the reader's text at twice its size."""
    await page.evaluate(_TEXT_SIZE, "200%")
    faults = await frame_faults(page, language)
    await page.evaluate(_TEXT_SIZE, "")
    return [f"text at 200 %: {fault}" for fault in faults]


async def axe_faults(page: Page, not_ours: str = "", *, contrast: bool = True) -> list[str]:
    """Every rule, in the colours that are on; not in what `not_ours` selects. Contrast is the dear one."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(_axe())
    rules = {CONTRAST: {"enabled": contrast}}
    return await _violations(page, {"type": "tag", "values": list(TAGS)}, rules, not_ours)


async def contrast_faults(page: Page, not_ours: str = "") -> list[str]:
    """What changes with the colours, after `axe_faults` has looked at the rest."""
    return await _violations(page, {"type": "rule", "values": [CONTRAST]}, {}, not_ours)


async def fonts_of(page: Page, selector: str) -> set[str]:
    """The families that its text is really drawn with, whatever the style sheet asks for."""
    devtools = await page.context.new_cdp_session(page)
    for domain in ("DOM", "CSS"):
        await devtools.send(f"{domain}.enable")
    document = await devtools.send("DOM.getDocument")
    where = {"nodeId": document["root"]["nodeId"], "selector": selector}
    drawn = await devtools.send(
        "CSS.getPlatformFontsForNode", await devtools.send("DOM.querySelector", where)
    )
    await devtools.detach()
    return {font["familyName"] for font in drawn["fonts"]}


async def _violations(page: Page, only: dict[str, Any], rules: dict[str, Any], not_ours: str) -> list[str]:
    found = await page.evaluate(_RUN_AXE, [only, rules, not_ours])
    return [f"axe {one['id']}: {one['help']}: {one['nodes'][:SHOWN_MAX]}" for one in found]
