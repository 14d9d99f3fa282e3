"""The feed and the demo's mailbox on screens: what a reader gets, and what would have gone out."""

import pytest

from services.notifications.address_book.documents import ADDRESSES
from shared.contracts.notifications.task import TaskAssigned
from shared.contracts.vocabulary import Role
from shared.ids import new_id
from tests.service.notifications.desk import an, registered, suspended
from tests.service.notifications.front import Front
from tests.support.road import until

pytestmark = pytest.mark.asyncio

PATH = "/notifications/feed"
MAILBOX = "/notifications/mailbox"


async def test_the_newest_events_are_shown_and_one_is_explained_as_its_exact_bytes(front: Front) -> None:
    auditor, partner = front.browser(await front.admit(Role.AUDITOR)), new_id("ptn")
    _, record = await front.hear(registered(partner), suspended(partner, "Die Bücher fehlen"))
    page = await auditor.get(PATH)
    assert "partner.suspended.v1" in page.words and partner in page.words
    one = await auditor.get(page.links["partner.suspended.v1"])
    assert record.value is not None and record.value.decode() in one.words
    assert "What happened, in the past tense" in one.words and "Die Bücher fehlen" in one.words
    assert one.links["Open what it is about"] == f"/partners/{partner}"


async def test_a_type_is_asked_for_and_the_cursor_goes_on_from_there(front: Front) -> None:
    auditor = front.browser(await front.admit(Role.AUDITOR))
    await front.hear(*(registered(new_id("ptn")) for _ in range(55)), an(TaskAssigned))
    first = await auditor.get(PATH, types="partner.*", start="earliest")
    assert "50 events" in first.words and "task.assigned.v1" not in first.links
    rest = await auditor.get(first.links["Go on from here"])
    assert "5 events" in rest.words and "types=partner" in rest.words and "&cursor=" in rest.words
    end = await auditor.get(rest.links["Look for newer ones"])
    assert "There is no event from this place on." in end.words


async def test_the_feed_says_no_more_than_its_reader_may_know(front: Front) -> None:
    (record,) = await front.hear(an(TaskAssigned))
    place = f"{PATH}/events/{record.topic}:{record.partition:03d}:{record.offset:016d}"
    assert (await front.browser(await front.admit(Role.AUDITOR)).get(place)).status == 200
    system = front.browser(await front.admit(Role.EXTERNAL_SYSTEM, partner=new_id("ptn")))
    assert "task.assigned.v1" not in (await system.get(PATH)).links
    assert (await system.get(place)).status == 404
    assert (await front.browser(await front.admit(Role.PARTNERSHIP_OFFICER)).get(PATH)).status == 403


@pytest.mark.parametrize("query", ["cursor=none+of+ours", "types=No*Type", "start=middle"])
async def test_what_cannot_be_asked_of_the_feed_is_refused(front: Front, query: str) -> None:
    page = await front.browser(await front.admit(Role.AUDITOR)).get(f"{PATH}?{query}")
    assert page.status in (400, 422) and page.title in (
        "This cannot be read",
        "Something is not as it must be",
    )


async def test_a_mail_is_shown_as_whoever_gets_it_reads_it(front: Front) -> None:
    operator, contact = front.browser(await front.admit(Role.OPERATOR)), new_id("prs")
    assert "No mail was sent since the house was started." in (await operator.get(MAILBOX)).words
    address = {"erased": False, "name": "ليلى حسن", "email": "leila@example.org", "language": "ar"}
    await front.mongo[ADDRESSES].insert_one({"_id": contact, **address})
    await front.hear(registered(new_id("ptn"), contact))

    async def has_come() -> bool:
        return "leila@example.org" in (await operator.get(MAILBOX)).words

    await until(has_come)
    page = await operator.get(MAILBOX, to="leila@example.org")
    assert '<blockquote class="text" lang="ar" dir="rtl">' in page.text and "One mail" in page.words
    assert "One mail" not in (await operator.get(MAILBOX, to="somebody@example.org")).words
    assert (await front.browser(await front.admit(Role.AUDITOR)).get(MAILBOX)).status == 403
