"""What people do without meaning to: click twice, go back, work in two windows, come back too late, paste
what they cannot see.
"""

from dataclasses import replace

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser import walking
from tests.browser.look import frame_faults
from tests.browser.visitors import NARROW_PX, Visitors
from tests.browser.walking import REASON, new_names
from tests.browser.ways import KEYBOARD, WITHOUT_SCRIPT, ByPointer, Walk, headed, says
from tests.journeys import steps

pytestmark = pytest.mark.asyncio

OURS, THEIRS = "Both sides keep the streets lit.", "Both sides keep the streets lit, and swept."
OVERRIDE = "Federation of \u202emunsiK"
_IN_SIX_SCRIPTS = "Союз жителей أهالي الحي 居民联合会 सदस्य კავშირი Fédération "
NAME_LENGTH_MAX = 300


@pytest.mark.parametrize("walk", [KEYBOARD, WITHOUT_SCRIPT], ids=lambda walk: walk.name)
async def test_a_double_click_registers_one_partner(visitors: Visitors, walk: Walk) -> None:
    names = new_names()
    async with visitors.window("officer", javascript=walk.javascript) as page:
        await before_sending(page, names)
        await page.get_by_role("button", name="Register the partner").dblclick()
        await headed(page, names.partner)
        await says(page, "The partner is registered.")
        await page.goto(f"/partners?name={names.partner}")
        await expect(page.locator("tr[data-row]")).to_have_count(1)


async def test_going_back_after_sending_neither_sends_again_nor_frightens(visitors: Visitors) -> None:
    names = new_names()
    async with visitors.window("officer") as page:
        await before_sending(page, names)
        await page.get_by_role("button", name="Register the partner").click()
        await headed(page, names.partner)
        await page.go_back()
        await says(page, "it was sent")
        await page.go_forward()
        await headed(page, names.partner)
        await page.reload()
        await page.goto(f"/partners?name={names.partner}")
        await expect(page.locator("tr[data-row]")).to_have_count(1)


@pytest.mark.parametrize("walk", [KEYBOARD, WITHOUT_SCRIPT], ids=lambda walk: walk.name)
async def test_of_two_windows_the_later_sees_both_texts_and_loses_none(
    visitors: Visitors, things: dict[str, str], walk: Walk
) -> None:
    async with visitors.window("officer", javascript=walk.javascript) as one:
        agreement = await steps.draft(visitors.house, await steps.register_partner(visitors.house))
        path = f"/agreements/{agreement['id']}/text"
        other = await one.context.new_page()
        await one.goto(path)
        await other.goto(path)
        await save_text(one, THEIRS)
        await says(one, "The text is saved.")
        await save_text(other, OURS)
        await says(other, "Somebody else changed this since you opened it.")
        await expect(text_of(other)).to_have_value(OURS)
        await expect(other.locator(".theirs")).to_contain_text(THEIRS)
        await other.get_by_role("button", name="Save the text").click()
        await says(other, OURS)
        await says(other, "The text is saved.")


@pytest.mark.parametrize("walk", [KEYBOARD, WITHOUT_SCRIPT], ids=lambda walk: walk.name)
async def test_a_form_sent_after_the_session_ended_is_kept_and_sent_after_the_sign_in(
    visitors: Visitors, walk: Walk
) -> None:
    partner = await steps.register_partner(visitors.house)
    async with visitors.window("officer", javascript=walk.javascript) as page:
        await page.goto(f"/partners/{partner.id}/suspend")
        await page.get_by_label("Why is it suspended?").fill(REASON)
        await sign_out_elsewhere(page)
        await page.get_by_role("button", name="Suspend the partner").click()
        await headed(page, "Who would you like to be?")
        await page.locator('main a[href*="persona=officer&"]').click()
        await headed(page, "Your form was kept")
        await says(page, REASON)
        await page.get_by_role("button", name="Send it now").click()
        await headed(page, partner.legal_name)
        await says(page, "The partner is suspended.")


async def test_what_was_pasted_and_turns_the_writing_around_is_refused_and_kept(visitors: Visitors) -> None:
    async with visitors.window("officer") as page:
        await begin(page)
        await page.get_by_role("link", name="Name and kind").click()
        await page.get_by_label("Legal name").click()
        await page.keyboard.insert_text(OVERRIDE)
        await page.get_by_role("button", name="Save and continue").click()
        summary = page.get_by_role("alert")
        await expect(summary).to_be_focused()
        await expect(summary).to_contain_text("a character that a text cannot have")
        await expect(page.get_by_label("Legal name")).to_have_value(OVERRIDE)
        await expect(page.get_by_label("Legal name")).to_have_attribute("aria-invalid", "true")


async def test_a_name_of_300_characters_in_six_scripts_is_shown_whole_on_a_narrow_page(
    visitors: Visitors,
) -> None:
    names = new_names()
    long = (names.partner + " " + _IN_SIX_SCRIPTS * 8)[: NAME_LENGTH_MAX - 1] + "."
    async with visitors.window("officer", width_px=NARROW_PX) as page:
        await before_sending(page, replace(names, partner=long))
        assert await frame_faults(page, "en") == []
        await page.get_by_role("button", name="Register the partner").click()
        await headed(page, long)
        assert await frame_faults(page, "en") == []
        await page.goto(f"/partners?name={names.partner}")
        await expect(page.get_by_role("link", name=long, exact=True)).to_be_visible()
        assert await frame_faults(page, "en") == []


# What they do before.


async def begin(page: Page) -> None:
    await page.goto("/partners/register")
    await page.get_by_role("button", name="Begin").click()


async def before_sending(page: Page, names: walking.Names) -> None:
    await begin(page)
    await walking.answer_the_questions(ByPointer(page), names)


def text_of(page: Page) -> Locator:
    return page.get_by_label("The text that both sides will sign")


async def save_text(page: Page, text: str) -> None:
    await text_of(page).fill(text)
    await page.get_by_role("button", name="Save the text").click()


async def sign_out_elsewhere(page: Page) -> None:
    """In another window of the same browser."""
    other = await page.context.new_page()
    await other.goto("/partners/me")
    await other.get_by_role("button", name="Sign out", exact=True).click()
    await headed(other, "You are signed out")
    await other.close()
