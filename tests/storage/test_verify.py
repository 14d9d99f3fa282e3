"""Is the record whole? A whole one is said to be whole, and every kind of damage is found."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.storage.mongo import Mongo
from shared.storage.verify import Report, verify
from tests.support.writing import Writing, members

pytestmark = pytest.mark.asyncio(loop_scope="session")

Damage = Callable[[Mongo, str], Awaitable[Any]]


async def checked(writing: Writing) -> Report:
    return await verify(writing.mongo, [members])


async def test_a_record_that_is_whole_is_said_to_be_whole(writing: Writing) -> None:
    ids = [(await writing.register()).id for _ in range(5)]
    for id in ids:
        await writing.toggle(id)
    report = await checked(writing)
    assert (report.streams, report.events, report.logs, report.findings) == (5, 10, 1, [])


async def lose_an_event(mongo: Mongo, id: str) -> None:
    await mongo["events"].delete_one({"stream": id, "version": 2})


async def lose_the_last_event(mongo: Mongo, id: str) -> None:
    await mongo["events"].delete_one({"stream": id, "version": 3})


async def change_an_event(mongo: Mongo, id: str) -> None:
    event = await mongo["events"].find_one({"stream": id, "version": 2})
    changed = event["body"].replace(b"late", b"fine")
    await mongo["events"].update_one({"_id": event["_id"]}, {"$set": {"body": changed}})


async def change_the_state(mongo: Mongo, id: str) -> None:
    await mongo["members"].update_one({"_id": id}, {"$set": {"state.suspended": True}})


async def lose_the_state(mongo: Mongo, id: str) -> None:
    await mongo["members"].delete_one({"_id": id})


async def invent_a_state(mongo: Mongo, id: str) -> None:
    state = await mongo["members"].find_one({"_id": id})
    await mongo["members"].insert_one({**state, "_id": "ptn_invented", "name": "invented"})


async def claim_a_longer_log(mongo: Mongo, id: str) -> None:
    await mongo["writers"].update_one({}, {"$inc": {"committed": 1}})


async def claim_to_have_sent_more(mongo: Mongo, id: str) -> None:
    await mongo["relays"].update_one({}, {"$set": {"relayed": 99}})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lose_an_event, "version 2 is missing"),
        (lose_the_last_event, "not what its events give"),
        (change_an_event, "chain breaks at version 2"),
        (change_the_state, "not what its events give"),
        (lose_the_state, "has events and no state"),
        (invent_a_state, "has a state and no events"),
        (claim_a_longer_log, "and says 7"),
        (claim_to_have_sent_more, "more was sent"),
    ],
)
async def test_damage_is_found(writing: Writing, damage: Damage, words: str) -> None:
    damaged, other = (await writing.register()).id, (await writing.register()).id
    for id in (damaged, other):
        await writing.toggle(id)
        await writing.toggle(id)
    await damage(writing.mongo, damaged)
    report = await checked(writing)
    assert any(words in finding for finding in report.findings), report.findings
    assert not any(finding.startswith(other) for finding in report.findings)
