"""The broker is away, at the start of the house and in the middle of its work.

Commands need the database and nothing else, so they go on; what they decided waits in the log. Afterwards
everything arrives, and nobody is told anything twice.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.servers import JARS, KafkaServer, start_kafka
from shared.storage.change import EVENTS
from tests.journeys import steps
from tests.journeys.steps import OFFICER, OPERATOR, SIGNATORY, FeedReader, Partner, Person
from tests.support.house import House, open_house
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio
# What becomes of the agreement while the broker is away, and once the suspension has been heard of.
MEANWHILE = [
    "agreement.signed_by_party.v1",
    "agreement.signed_by_party.v1",
    "agreement.fully_signed.v1",
    "agreement.entered_into_force.v1",
    "agreement.hold_opened.v1",
]
SUSPENDING = {"reason": "The accounts are two years late"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaServer]:
    """A broker of our own, which may be stopped; it has a port and does not run yet."""
    folder = tmp_path_factory.mktemp("kafka")
    broker = await asyncio.to_thread(start_kafka, folder / "data", log_dir=folder / "log", jars=JARS)
    await asyncio.to_thread(broker.stop)
    yield broker
    await asyncio.to_thread(broker.stop)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cut_off(mongo_url: str, kafka: KafkaServer) -> AsyncIterator[House]:
    async with open_house(mongo_url, kafka.bootstrap, f"away{steps.any_mark()}") as opened:
        yield opened


async def test_a_house_that_starts_without_kafka_takes_commands_and_tells_of_them_once_it_comes(
    cut_off: House, kafka: KafkaServer
) -> None:
    await says_that_kafka_is_away(cut_off)
    partner = await steps.register_partner(cut_off, known_to_agreements=False)
    await cut_off.post(OFFICER, f"/partners/v1/partners/{partner.id}/suspensions", SUSPENDING)
    unknown = await cut_off.try_post(OFFICER, "/agreements/v1/agreements", await draft_of(cut_off, partner))
    assert (unknown.status_code, unknown.json()["code"]) == (422, "partner_unknown")
    await cut_off.post(OPERATOR, "/notifications/v1/clock/advances", {"by_s": 1})
    await asyncio.to_thread(kafka.start_again)
    await cut_off.until_ready()
    standing = f"/agreements/v1/standings/{partner.id}"
    await cut_off.see(OFFICER, standing, lambda seen: seen["standing"] == "suspended")
    mail = await cut_off.see(
        OPERATOR, "/notifications/v1/mailbox", lambda box: len(box["items"]) >= 2, to=partner.contact_email
    )
    assert len(mail["items"]) == 2
    await nothing_was_told_twice(cut_off)


async def test_while_kafka_is_away_work_goes_on_and_afterwards_everybody_is_told_once(
    cut_off: House, kafka: KafkaServer
) -> None:
    partner = await steps.register_partner(cut_off)
    user = await steps.join_for(cut_off, partner)
    system = await steps.register_system(cut_off, ("partner", partner.id))
    feed = FeedReader(cut_off, system)
    await feed.read()
    agreement = await steps.send(cut_off, await steps.draft(cut_off, partner))
    await cut_off.see(user.subject, "/notifications/v1/inbox", lambda page: len(page["items"]) == 1)
    async with Receiver() as receiver:
        async with steps.subscribed(cut_off, system, receiver.url("/ok"), "agreement.*", "partner.*"):
            await asyncio.to_thread(kafka.stop)
            await work_goes_on(cut_off, user, partner, agreement)
            await says_that_kafka_is_away(cut_off)
            await asyncio.to_thread(kafka.start_again)
            await cut_off.until_ready()
            await webhooks_come_once(receiver, partner, agreement)
    await the_feed_has_them_once(cut_off, feed, partner, agreement)
    await people_are_told_once(cut_off, user, partner, agreement)
    await nothing_was_told_twice(cut_off)
    for service, report in (await cut_off.records()).items():
        assert report.is_whole, (service, report.findings)


async def says_that_kafka_is_away(house: House) -> None:
    async def is_said() -> bool:
        answer = await house.as_(OPERATOR).get("/readyz")
        missing = {one["part"] for one in answer.json() if not one["ok"] and "kafka" in one["detail"]}
        return answer.status_code == 503 and missing == set(house.served)

    await house.eventually(is_said)


async def draft_of(house: House, partner: Partner) -> dict[str, Any]:
    return {
        "partner_id": partner.id,
        "kind": "mou",
        "title": "Upgrading three neighbourhoods",
        "text": steps.TEXT,
        "ends_on": (await steps.today(house)).isoformat(),
    }


async def work_goes_on(house: House, user: Person, partner: Partner, agreement: dict[str, Any]) -> None:
    await steps.sign(house, user.subject, agreement, "partner", user.name)
    await steps.sign(house, SIGNATORY, agreement, "organisation", "Étienne Lefèvre")
    await house.post(OFFICER, "/agreements/v1/agreements", await draft_of(house, partner))
    await house.post(OFFICER, f"/partners/v1/partners/{partner.id}/suspensions", SUSPENDING)
    signed = await house.get(user.subject, f"/agreements/v1/agreements/{agreement['id']}")
    assert signed["status"] == "in_force"
    inbox = await house.get(user.subject, "/notifications/v1/inbox")
    for item in inbox["items"]:
        await house.post(user.subject, f"/notifications/v1/inbox/{item['id']}/readings")


async def webhooks_come_once(receiver: Receiver, partner: Partner, agreement: dict[str, Any]) -> None:
    def told_of(subject: str) -> list[str]:
        events = [json.loads(call.body) for call in receiver.requests]
        return [event["type"] for event in events if event["subject"] == subject]

    await receiver.until(
        lambda: len(told_of(agreement["id"])) >= len(MEANWHILE) and bool(told_of(partner.id)), timeout_s=60
    )
    assert told_of(agreement["id"])[-len(MEANWHILE) :] == MEANWHILE
    assert told_of(partner.id) == ["partner.suspended.v1"]


async def the_feed_has_them_once(
    house: House, feed: FeedReader, partner: Partner, agreement: dict[str, Any]
) -> None:
    whole = ["agreement.sent_for_signature.v1", *MEANWHILE]

    async def has_all() -> bool:
        items = await feed.read()
        return [one["type"] for one in items if one["subject"] == agreement["id"]] == whole

    await house.eventually(has_all)
    assert max(Counter(item["id"] for item in feed.items).values()) == 1
    of_partner = [one["type"] for one in feed.items if one["subject"] == partner.id]
    assert of_partner == ["partner.suspended.v1"]


async def people_are_told_once(
    house: House, user: Person, partner: Partner, agreement: dict[str, Any]
) -> None:
    expected = Counter(
        {
            ("agreement.sent_for_signature.v1", agreement["id"]): 1,
            ("agreement.signed_by_party.v1", agreement["id"]): 2,
            ("agreement.entered_into_force.v1", agreement["id"]): 1,
            ("agreement.hold_opened.v1", agreement["id"]): 1,
            ("partner.suspended.v1", partner.id): 1,
        }
    )
    inbox = await house.see(
        user.subject, "/notifications/v1/inbox", lambda page: len(page["items"]) >= expected.total()
    )
    assert Counter((item["event_type"], item["about"]) for item in inbox["items"]) == expected
    # The invitation came by mail alone.
    mail = await house.see(
        OPERATOR,
        "/notifications/v1/mailbox",
        lambda box: len(box["items"]) >= expected.total() + 1,
        to=user.email,
    )
    assert len({message["message_id"] for message in mail["items"]}) == expected.total() + 1


async def nothing_was_told_twice(house: House) -> None:
    facts: Counter[str] = Counter()
    async for event in house.databases["notifications"][EVENTS].find({"type": "delivery.accepted.v1"}):
        facts[event["stream"]] += 1
    assert facts
    assert [id for id, times in facts.items() if times > 1] == []
    mail = await house.get(OPERATOR, "/notifications/v1/mailbox")
    told = Counter((message["message_id"], *message["recipients"]) for message in mail["items"])
    assert [one for one, times in told.items() if times > 1] == []
