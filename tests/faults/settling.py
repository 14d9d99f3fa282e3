"""Waiting until a run has come to rest: everything sent, every effect there, no timer left."""

import asyncio
from collections.abc import Callable

from shared.storage.mongo import Mongo
from tests.faults import trial
from tests.faults.evidence import HEARD
from tests.faults.worker import Ground

POLL_S = 0.2
SETTLE_S = 60.0


async def unsettled(mongo: Mongo) -> str:
    """What is still on its way, or nothing."""
    relayed = {relay["_id"]: relay["relayed"] async for relay in mongo["relays"].find()}
    async for writer in mongo["writers"].find({"drained": False}):
        if relayed.get(writer["_id"], 0) < writer["committed"]:
            return f"{writer['_id']} was sent to {relayed.get(writer['_id'])} of {writer['committed']}"
    for consumer, (topic, types) in HEARD.items():
        purpose = consumer.rpartition(".")[2]
        expected = await mongo["events"].count_documents({"topic": topic, "type": {"$in": sorted(types)}})
        effects = await mongo[trial.EFFECTS].count_documents({"consumer": purpose})
        if purpose != "errands" and effects < expected:
            return f"{consumer} has {effects} effects of {expected}"
    suspended = await mongo["events"].count_documents({"type": "partner.suspended.v1"})
    errands = await mongo["errands"].count_documents({})
    timers = await mongo["timers"].count_documents({})
    if errands < suspended or timers:
        return f"{errands} errands for {suspended} suspensions, {timers} timers"
    return ""


async def settle(
    ground: Ground, within_s: float = SETTLE_S, on_wait: Callable[[], None] = lambda: None
) -> None:
    """Return once the run has come to rest; say what has not when the time is over."""
    mongo = Mongo(ground.mongo_url, ground.database)
    end = asyncio.get_running_loop().time() + within_s
    try:
        while left := await unsettled(mongo):
            assert asyncio.get_running_loop().time() < end, left
            on_wait()
            await asyncio.sleep(POLL_S)
    finally:
        await mongo.close()
