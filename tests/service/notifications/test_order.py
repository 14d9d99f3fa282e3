"""An endpoint hears of a subject in the order in which things happened, whatever fails in between."""

from collections import defaultdict

import pytest

from services.notifications.deliveries.documents import DELIVERIES
from shared.contracts.envelope import open_envelope
from shared.contracts.notifications.delivery import Channel
from shared.ids import new_id
from tests.service.notifications.desk import Database, Desk, registered, reinstated, suspended, toggles
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio


def versions(receiver: Receiver) -> dict[str, list[int]]:
    """What came of each subject, in the order in which it came."""
    found: dict[str, list[int]] = defaultdict(list)
    for request in receiver.requests:
        envelope = open_envelope(request.body)
        found[envelope.subject].append(envelope.version)
    return found


async def test_many_subjects_arrive_each_in_its_order(desk: Desk, receiver: Receiver) -> None:
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    partners = [new_id("ptn") for _ in range(6)]
    for partner in partners:
        await desk.hear(registered(partner), *toggles(partner, 4))
    await desk.hear(*(event for partner in partners for event in toggles(partner, 2)))
    await desk.until_states(channel="webhook", delivered=42)
    assert versions(receiver) == {partner: [1, 2, 3, 4, 5, 6, 7] for partner in partners}


async def test_a_later_one_waits_until_the_one_before_it_has_arrived(desk: Desk, receiver: Receiver) -> None:
    receiver.answers("/flaky", 503, 503, 200)
    await desk.endpoint(receiver.url("/flaky"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    partner = new_id("ptn")
    await desk.hear(registered(partner), *toggles(partner, 2))
    await desk.try_again_now(attempts=1)
    await desk.try_again_now(attempts=2)
    await desk.until_states(channel="webhook", delivered=3)
    assert versions(receiver)[partner] == [1, 1, 1, 2, 3]


async def test_one_that_is_given_up_lets_the_next_go(desk: Desk, receiver: Receiver) -> None:
    receiver.answers("/choosy", 400, 400, 400, 400, 200)
    await desk.endpoint(receiver.url("/choosy"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    partner = new_id("ptn")
    await desk.hear(registered(partner), suspended(partner))
    for attempts in range(1, 4):
        assert await desk.states(channel="webhook") == {"pending": 1, "waiting": 1}
        await desk.try_again_now(attempts=attempts)
    await desk.until_states(channel="webhook", dead=1, delivered=1)
    assert versions(receiver)[partner] == [1, 1, 1, 1, 2]
    (dead,) = await desk.deliveries(state="dead")
    assert (dead["reason"], dead["attempts"]) == ("client_4xx", 4)


async def test_subjects_do_not_wait_for_each_other(desk: Desk, receiver: Receiver) -> None:
    receiver.answers("/flaky", 503, 200)
    await desk.endpoint(receiver.url("/flaky"), "partner.*")
    await desk.start(Channel.WEBHOOK)
    first, second = new_id("ptn"), new_id("ptn")
    await desk.hear(registered(first))
    await receiver.until(lambda: len(receiver.requests) == 1)
    await desk.hear(suspended(first), registered(second))
    await desk.until_states(channel="webhook", pending=1, waiting=1, delivered=1)
    assert versions(receiver) == {first: [1], second: [1]}


async def test_a_lane_that_a_crash_left_closed_is_opened_again(
    database: Database, receiver: Receiver
) -> None:
    """A process died between settling one and letting out the next."""
    desk = await database.desk()
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    partner = new_id("ptn")
    await desk.hear(registered(partner), suspended(partner))
    await desk.mongo[DELIVERIES].update_one(
        {"version": 1, "channel": "webhook"},
        {"$set": {"state": "delivered"}, "$unset": {"open": "", "due": ""}},
    )
    heir = await database.desk()
    await heir.start(Channel.WEBHOOK)
    await heir.until_states(channel="webhook", delivered=2)
    assert versions(receiver) == {partner: [2]}


async def test_what_waits_is_not_overtaken_before_it_is_let_out(desk: Desk, receiver: Receiver) -> None:
    """The one before it is settled, and the next has not been opened yet: the lane is not free."""
    await desk.endpoint(receiver.url("/ok"), "partner.*")
    partner = new_id("ptn")
    await desk.hear(registered(partner), suspended(partner))
    settled = {"$set": {"state": "delivered"}, "$unset": {"open": "", "due": ""}}
    await desk.mongo[DELIVERIES].update_one({"version": 1, "channel": "webhook"}, settled)
    await desk.hear(reinstated(partner))
    states = {one["version"]: one["state"] for one in await desk.deliveries(channel="webhook")}
    assert states == {1: "delivered", 2: "waiting", 3: "waiting"}


async def test_two_processes_never_have_two_open_in_one_lane(database: Database, receiver: Receiver) -> None:
    one, other = await database.desk(), await database.desk()
    await one.endpoint(receiver.url("/ok"), "partner.*")
    await other.ways.book.look()
    partner = new_id("ptn")
    await one.start(Channel.WEBHOOK)
    await other.start(Channel.WEBHOOK)
    for number, event in enumerate([registered(partner), *toggles(partner, 19)]):
        await (one, other)[number % 2].hear(event)
    await one.until_states(channel="webhook", delivered=20)
    assert versions(receiver)[partner] == list(range(1, 21))
