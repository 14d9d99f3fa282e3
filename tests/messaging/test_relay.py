"""The relay: everything committed is sent, nothing else, per aggregate in order."""

import asyncio
from collections import defaultdict

import pytest
from aiokafka import ConsumerRecord

from shared.contracts.envelope import open_envelope
from shared.ids import new_id
from shared.storage import event_log
from tests.support.road import Road, open_road, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def first_occurrences(records: list[ConsumerRecord]) -> dict[str, list[int]]:
    """Per aggregate, the versions in the order in which each first appeared."""
    found: dict[str, list[int]] = defaultdict(list)
    for record in records:
        envelope = open_envelope(record.value)
        if envelope.version not in found[envelope.subject]:
            found[envelope.subject].append(envelope.version)
    return found


async def drained(road: Road) -> bool:
    return road.relay.behind == 0


async def test_what_is_committed_reaches_the_topic_with_its_bytes(road: Road) -> None:
    member = await road.writing.register()
    await road.writing.toggle(member.id)
    await until(lambda: drained(road))
    records = await road.topic()
    stored = await road.mongo["events"].find({"stream": member.id}).sort("version", 1).to_list(length=10)
    assert [record.value for record in records] == [event["body"] for event in stored]
    assert {record.key for record in records} == {member.id.encode()}
    headers = dict(records[0].headers)
    assert headers["ce_id"].decode() == stored[0]["_id"]
    assert headers["content-type"] == b"application/cloudevents+json"


async def test_many_callers_and_one_order_per_aggregate(road: Road) -> None:
    ids = [(await road.writing.register()).id for _ in range(10)]
    await asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(6)))
    await until(lambda: drained(road))
    versions = first_occurrences(await road.topic())
    assert versions == {id: [1, 2, 3, 4, 5, 6, 7] for id in ids}


async def test_an_aggregate_that_changes_hands_at_every_commit_keeps_its_order(road: Road) -> None:
    async with open_road_beside(road) as other:
        ids = [(await road.writing.register()).id for _ in range(5)]
        for turn in range(10):
            hand = (other, road)[turn % 2]
            await asyncio.gather(*(hand.writing.toggle(id) for id in ids))
        await until(lambda: drained(road))
        await until(lambda: drained(other))
        versions = first_occurrences(await road.topic())
    assert versions == {id: list(range(1, 12)) for id in ids}


async def test_a_dead_writers_log_is_adopted_and_sent(road: Road) -> None:
    session = await road.mongo.start_session()
    dead = await event_log.open_log(road.mongo, "dead", session.session_id)
    member = await road.writing.register()
    await until(lambda: drained(road))
    # What a process leaves that was killed between its commit and its relay's first send.
    event = await road.mongo["events"].find_one({"stream": member.id})
    left = {**event, "_id": "left", "stream": "ptn_left", "writer": dead.id, "seq": 1, "prev": None}
    await road.mongo["events"].insert_one(left)
    ended = [{"$set": {"committed": 1, "until": "$$NOW"}}]
    await road.mongo["writers"].update_one({"_id": dead.id}, ended)

    async def sent() -> bool:
        document = await road.mongo["writers"].find_one({"_id": dead.id})
        return bool(document["drained"])

    await until(sent)
    assert await event_log.position(road.mongo, dead.id) == 1
    assert [record.key for record in await road.topic()].count(b"ptn_left") == 1


async def test_a_graceful_stop_sends_all_and_gives_the_lease_back(
    mongo_url: str, kafka_bootstrap: str
) -> None:
    name = new_id("t")[-12:].lower()
    async with open_road(mongo_url, kafka_bootstrap, name, fresh=False) as road:
        await asyncio.gather(*(road.writing.register() for _ in range(50)))
    async with open_road(mongo_url, kafka_bootstrap, name) as after:
        writers = await after.mongo["writers"].find({"committed": 50}).to_list(length=10)
        assert [writer["drained"] for writer in writers] == [True]
        assert await event_log.adopt_next(after.mongo, "nobody") is None
        assert len(await after.topic()) == 50


async def test_a_backlog_larger_than_memory_is_read_back_in_order(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.log_relay.MEMORY_EVENTS_MAX", 5)
    ids = [(await road.writing.register()).id for _ in range(3)]
    await asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(40)))
    await until(lambda: drained(road))
    assert first_occurrences(await road.topic()) == {id: list(range(1, 42)) for id in ids}


def open_road_beside(road: Road):  # type: ignore[no-untyped-def]
    name = road.prefix.removesuffix(".")
    return open_road(_url_of(road), road.bootstrap, name, fresh=False)


def _url_of(road: Road) -> str:
    host, port = next(iter(road.mongo.client.nodes))
    return f"mongodb://{host}:{port}/?replicaSet=rs0"
