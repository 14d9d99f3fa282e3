"""E-mail as a channel: to the address of the moment, in its reader's language, again while that may help."""

import pytest

from services.notifications.address_book.documents import ADDRESSES
from services.notifications.deliveries.documents import ATTEMPTS
from services.notifications.email.adapters.mailbox import DemoMailbox
from services.notifications.email.domain import message_id
from shared.contracts.notifications.delivery import Channel
from tests.service.notifications.desk import Desk, suspended

pytestmark = pytest.mark.asyncio


def answering_with(desk: Desk, **replies: str) -> DemoMailbox:
    """The desk's mailbox, which answers these recipients so."""
    desk.mailbox._replies = {f"{name}@example.org": reply for name, reply in replies.items()}
    return desk.mailbox


async def told(desk: Desk, name: str, language: str = "en") -> str:
    """A partner whose contact has an address of that name hears of its registration."""
    partner, contact = await desk.register_partner()
    await desk.know_address(contact, f"{name}@example.org", language)
    return partner


async def state_of(desk: Desk, **query: str) -> tuple[str, str | None, int]:
    (one,) = await desk.deliveries(channel="email", **query)
    return one["state"], one["reason"], one["attempts"]


@pytest.mark.parametrize(
    ("language", "beginning"), [("ar", "تم تسجيل"), ("ru", "Зарегистрирован"), ("xx", "\u2068Federation")]
)
async def test_a_notice_is_in_its_readers_language(desk: Desk, language: str, beginning: str) -> None:
    await told(desk, "reader", language)
    await desk.start(Channel.EMAIL)
    await desk.until_states(channel="email", accepted=1)
    (message,) = desk.mailbox.messages("reader@example.org")
    assert message.subject.startswith(beginning)


async def test_an_address_that_is_refused_ends_the_delivery(desk: Desk) -> None:
    answering_with(desk, nobody="550 5.1.1 no such mailbox")
    await told(desk, "nobody")
    await desk.start(Channel.EMAIL)
    await desk.until_states(channel="email", dead=1)
    assert await state_of(desk) == ("dead", "refused", 1)


async def test_a_refusal_is_kept_without_the_address_it_names(desk: Desk) -> None:
    answering_with(desk, nobody="550 5.1.1 <Nobody@example.org>: user nobody unknown")
    await told(desk, "nobody")
    await desk.start(Channel.EMAIL)
    await desk.until_states(channel="email", dead=1)
    (attempt,) = [one async for one in desk.mongo[ATTEMPTS].find({})]
    assert attempt["answer"].decode() == "5.1.1 <(recipient)>: user (recipient) unknown"


async def test_a_mailbox_that_is_busy_is_tried_again_as_the_same_message(desk: Desk) -> None:
    answering_with(desk, busy="451 4.7.1 greylisted, come back")
    await told(desk, "busy")
    await desk.start(Channel.EMAIL)
    await desk.until_put_off(attempts=1)
    answering_with(desk)
    await desk.try_again_now(attempts=1)
    await desk.until_states(channel="email", accepted=1)
    (message,) = desk.mailbox.messages("busy@example.org")
    (delivery,) = await desk.deliveries(channel="email")
    headers = dict(message.headers)
    assert headers["Message-ID"] == message_id(delivery["delivery_id"], "concord@example.org")
    attempts = desk.mongo[ATTEMPTS].find({"delivery": delivery["_id"]}).sort("_id", 1)
    assert [one["status"] async for one in attempts] == [451, 250]


async def test_an_address_that_is_not_there_yet_is_waited_for(desk: Desk) -> None:
    _, contact = await desk.register_partner()
    await desk.start(Channel.EMAIL)
    await desk.until_put_off(attempts=1)
    await desk.know_address(contact, "late@example.org")
    await desk.try_again_now(attempts=1)
    await desk.until_states(channel="email", accepted=1)
    assert len(desk.mailbox.messages("late@example.org")) == 1


async def test_a_person_who_was_erased_is_not_written_to(desk: Desk) -> None:
    partner, contact = await desk.register_partner()
    await desk.mongo[ADDRESSES].insert_one({"_id": contact, "erased": True})
    await desk.hear(suspended(partner))
    await desk.start(Channel.EMAIL)
    await desk.until_states(channel="email", dead=2)
    assert {one["reason"] for one in await desk.deliveries(channel="email")} == {"address_erased"}


async def test_an_address_that_is_none_ends_the_delivery_and_not_the_sender(desk: Desk) -> None:
    _, contact = await desk.register_partner()
    await desk.know_address(contact, "no address\r\nBcc: everybody@example.org")
    await told(desk, "reader")
    await desk.start(Channel.EMAIL)
    await desk.until_states(channel="email", dead=1, accepted=1)
    assert len(desk.mailbox.messages()) == 1


async def test_mail_goes_on_when_the_server_has_dropped_its_connections(desk: Desk) -> None:
    await told(desk, "one")
    await desk.start(Channel.EMAIL)
    await desk.until_states(channel="email", accepted=1)
    desk.mailbox.drop_connections()
    await told(desk, "two")
    await desk.until_states(channel="email", accepted=2)
