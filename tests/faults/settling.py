"""Waiting until a run has come to rest: everything sent, every effect there, no timer left."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.storage.mongo import Mongo
from tests.faults import trial
from tests.faults.evidence import HEARD, Heard
from tests.faults.worker import Ground

POLL_S = 0.2
SETTLE_S = 60.0


async def unsettled(mongo: Mongo, heard: Heard = HEARD) -> str:
    """What is still on its way, or nothing. New events come from what consumers have not seen and from timers
    only, so where neither is left, none will come.
    """
    events = await mongo["events"].count_documents({})
    if left := await _unseen(mongo, heard) or await _unsent(mongo):
        return left
    if timers := await mongo["timers"].count_documents({}):
        return f"{timers} timers"
    return "" if events == await mongo["events"].count_documents({}) else "events have come meanwhile"


async def _unseen(mongo: Mongo, heard: Heard) -> str:
    last_of_each = {"_id": {"topic": "$topic", "stream": "$stream"}, "version": {"$max": "$version"}}
    streams = await mongo.aggregate("events", [{"$group": last_of_each}])
    seen = {document["_id"]: document["version"] async for document in mongo["watermarks"].find()}
    for consumer, (topic, _) in heard.items():
        behind = [
            stream["_id"]["stream"]
            for stream in streams
            if stream["_id"]["topic"] == topic
            and seen.get(f"{consumer}|{stream['_id']['stream']}", 0) < stream["version"]
        ]
        if behind:
            return f"{consumer} is behind with {len(behind)} streams, among them {behind[0]}"
    return ""


async def _unsent(mongo: Mongo) -> str:
    relayed = {relay["_id"]: relay["relayed"] async for relay in mongo["relays"].find()}
    async for writer in mongo["writers"].find({"drained": False}):
        if relayed.get(writer["_id"], 0) < writer["committed"]:
            return f"{writer['_id']} was sent to {relayed.get(writer['_id'])} of {writer['committed']}"
    return ""


async def settle(
    ground: Ground, *, within_s: float = SETTLE_S, commands: int = 0, heard: Heard = HEARD
) -> None:
    """Return once the run has come to rest, after so many commands at least; say what has not when the time
    is over.
    """

    async def left(mongo: Mongo) -> str:
        done = await mongo[trial.KEYS].count_documents({}) if commands else 0
        return f"{done} of {commands} commands are done" if done < commands else await unsettled(mongo, heard)

    await wait_for(ground, left, within_s=within_s)


async def wait_for(
    ground: Ground, left: Callable[[Mongo], Awaitable[str]], *, within_s: float = SETTLE_S
) -> None:
    """Ask the database until nothing is left of what is waited for."""
    mongo = Mongo(ground.mongo_url, ground.database)
    end = asyncio.get_running_loop().time() + within_s
    try:
        while what := await left(mongo):
            assert asyncio.get_running_loop().time() < end, what
            await asyncio.sleep(POLL_S)
    finally:
        await mongo.close()
