"""The inbox on a screen: whole without scripts, live with them, one's own only."""

import asyncio

import pytest

from services.notifications.inbox.documents import INBOX
from shared.contracts.vocabulary import Role
from shared.ids import new_id
from tests.service.notifications.desk import registered
from tests.service.notifications.front import Front
from tests.support.browsing import Browser, Page
from tests.support.road import until

pytestmark = pytest.mark.asyncio

PATH = "/notifications/inbox"


async def told(front: Front, browser: Browser, times: int) -> Page:
    """So many notices, in the inbox."""
    for _ in range(times):
        await front.hear(registered(new_id("ptn")))

    async def is_there() -> bool:
        return len(readings(await browser.get(PATH))) == times

    await until(is_there)
    return await browser.get(PATH)


def readings(page: Page) -> list[str]:
    return [
        form.action
        for form in page.forms
        if form.action.endswith("/readings") and form.action != f"{PATH}/readings"
    ]


async def test_an_empty_inbox_says_what_would_be_there(front: Front) -> None:
    page = await front.browser(await front.admit(Role.PARTNERSHIP_OFFICER)).get(PATH)
    assert page.title == "Inbox" and "Nothing was said to you yet." in page.words


async def test_what_was_told_is_unread_until_it_is_marked_and_marking_twice_is_marking_once(
    front: Front,
) -> None:
    browser = front.browser(await front.admit(Role.PARTNERSHIP_OFFICER))
    page = await told(front, browser, 2)
    assert "2 are unread" in page.words and "is registered as a partner" in page.words
    assert (await browser.fragment(f"{PATH}/count")).words == "(2)"
    first = readings(page)[0]
    for _ in range(2):  # The same form, key and all.
        after = await browser.submit(page, to=first)
        assert (
            after.path == PATH and "It is marked as read." in after.words and "One is unread" in after.words
        )


async def test_all_that_was_seen_is_marked_and_what_came_later_is_not(front: Front) -> None:
    person = await front.admit(Role.PARTNERSHIP_OFFICER)
    browser = front.browser(person)
    page = await told(front, browser, 2)
    await front.hear(registered(new_id("ptn")))

    async def a_third() -> bool:
        return bool(await front.mongo[INBOX].count_documents({"person": person}) == 3)

    await until(a_third)
    after = await browser.submit(page, to=f"{PATH}/readings")
    assert "One is unread" in after.words
    assert (await browser.post(f"{PATH}/readings", {"up_to": "many"})).status == 422


async def test_nobody_marks_or_sees_what_another_was_told(front: Front) -> None:
    mine = front.browser(await front.admit(Role.PARTNERSHIP_OFFICER))
    page = await told(front, mine, 1)
    other = front.browser(await front.admit(Role.MEMBER_STATE_DELEGATE, state="KEN"))
    assert readings(await other.get(PATH)) == []
    assert (await other.post(readings(page)[0])).status == 404
    assert (await front.browser().get(f"{PATH}/items", follow=False)).status == 303


async def test_a_form_of_another_site_marks_nothing(front: Front) -> None:
    browser = front.browser(await front.admit(Role.PARTNERSHIP_OFFICER))
    page = await told(front, browser, 1)
    refused = await browser.post(readings(page)[0], Sec_Fetch_Site="cross-site", Origin="http://evil.example")
    assert refused.status == 403 and len(readings(await browser.get(PATH))) == 1


async def test_the_open_page_hears_what_comes_and_misses_nothing_between(front: Front) -> None:
    browser = front.browser(await front.admit(Role.PARTNERSHIP_OFFICER))
    page = await told(front, browser, 1)
    assert 'sse-connect="/notifications/inbox/live?after=1"' in page.text
    await front.hear(registered(new_id("ptn")))
    kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    async with asyncio.timeout(10):
        async with front.http.stream("GET", f"{PATH}/live?after=1", headers=kept) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()
            seen = [await anext(lines) for _ in range(5)]
    assert seen == ["retry: 3000", "", "id: 2", "event: item", "data: 2"]
    fragment = await browser.fragment(f"{PATH}/items")
    assert fragment.answer.headers["hx-trigger-after-settle"] == "counts-changed"
    assert "<html" not in fragment.text and len(readings(fragment)) == 2


async def test_a_stream_is_for_who_is_signed_in_and_says_nothing_to_others(front: Front) -> None:
    assert (await front.http.get(f"{PATH}/live")).status_code == 303
    browser = front.browser(await front.admit(Role.PARTNERSHIP_OFFICER))
    assert (await browser.get(f"{PATH}/live", after="everything")).status == 400


async def test_the_words_are_in_the_language_of_the_page(front: Front) -> None:
    browser = front.browser(await front.admit(Role.PARTNERSHIP_OFFICER, language="ar"))
    page = await told(front, browser, 1)
    assert '<div lang="ar" dir="rtl">' in page.text
