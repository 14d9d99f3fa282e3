"""Changes committed: many callers at once beside as many raw transactions of the same documents, then one at
a time.
"""

import asyncio
import os
from typing import Any

from bson.binary import Binary
from pymongo.errors import OperationFailure

from bench.measuring import Bench, Row, Stopwatch, opened, percentile, resident_mb, settle
from shared.errors import Refusal
from shared.ids import new_id
from shared.storage.repository import Unit
from tests.support.writing import Member, members, registered

CALLERS = 64
EACH = 100
RAW_EACH = 25
ALONE = 300
FAILING_ONE_IN = 20


async def rows(mongo_url: str, bootstrap: str) -> list[Row]:
    async with opened(mongo_url, bootstrap) as bench:
        await bench.committer.start()
        await _one(bench, "first")
        await _prepare_raw(bench)
        alone_ours, alone_raw = await _alone(bench)
        await settle()
        raw = await _raw_at_once(bench)
        await settle()
        ours = await _ours_at_once(bench, failing=False)
        await settle()
        with_failures = await _ours_at_once(bench, failing=True)
        memory = f"{resident_mb():.0f} MB"
    return [
        Row(
            what="changes committed, 64 callers at once",
            ours=f"{ours:,.0f}/s",
            raw=f"{raw:,.0f}/s (64 raw transactions at once)",
            ratio=f"{ours / raw:.1f}",
            reach="5 x raw",
            met=ours >= 5 * raw,
            memory=memory,
        ),
        Row(
            what="the same with 1 failing change in 20",
            ours=f"{with_failures:,.0f}/s",
            raw=f"{ours:,.0f}/s (none failing)",
            ratio=f"{with_failures / ours:.2f}",
            reach="more than 0.5",
            met=with_failures > 0.5 * ours,
            memory=memory,
        ),
        Row(
            what="one caller alone, p50",
            ours=f"{alone_ours:.1f} ms",
            raw=f"{alone_raw:.1f} ms (one raw transaction of the same documents)",
            ratio=f"{alone_ours / alone_raw:.2f}",
            reach="no worse: 1.0, told to a tenth",
            met=round(alone_ours / alone_raw, 1) <= 1.0,
            memory=memory,
        ),
    ]


async def _one(bench: Bench, name: str) -> Member:
    id = new_id("ptn")

    async def work(unit: Unit) -> Member:
        return members.create(unit, id, [registered(id, name)])

    return await bench.runtime.perform(bench.runtime.system_context("bench"), work)


async def _ours_at_once(bench: Bench, *, failing: bool) -> float:
    async def caller(number: int) -> None:
        for turn in range(EACH):
            taken = failing and (number * EACH + turn) % FAILING_ONE_IN == 0
            try:
                await _one(bench, "first" if taken else new_id("n"))
            except Refusal:
                assert taken

    watch = Stopwatch()
    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return CALLERS * EACH / watch.seconds


async def _raw_at_once(bench: Bench) -> float:
    async def caller(number: int) -> None:
        for _ in range(RAW_EACH):
            await _raw_transaction(bench, f"w{number}")

    watch = Stopwatch()
    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return CALLERS * RAW_EACH / watch.seconds


async def _alone(bench: Bench) -> tuple[float, float]:
    """Turn about, so that both see the same machine."""
    ours: list[float] = []
    raw: list[float] = []
    for _ in range(ALONE):
        watch = Stopwatch()
        await _one(bench, new_id("n"))
        ours.append(watch.seconds * 1000)
        watch = Stopwatch()
        await _raw_transaction(bench, "alone")
        raw.append(watch.seconds * 1000)
    return percentile(ours, 0.5), percentile(raw, 0.5)


async def _prepare_raw(bench: Bench) -> None:
    """Counters of their own for each caller: the raw transactions must not wait for one another's."""
    names = [*(f"w{number}" for number in range(CALLERS)), "alone"]
    await bench.mongo["raw_writers"].insert_many(
        [{"_id": name, "epoch": 1, "committed": 0} for name in names]
    )
    await bench.mongo["raw_members"].create_index("name", unique=True)
    for keys in ([("stream", 1), ("version", 1)], [("writer", 1), ("seq", 1)]):
        await bench.mongo["raw_events"].create_index(keys, unique=True)


async def _raw_transaction(bench: Bench, writer: str) -> None:
    """The documents of one registration, as the driver writes them: a state, an event, a writer's counter."""
    id, mongo = new_id("ptn"), bench.mongo
    session = await mongo.start_session()
    try:
        while True:
            try:
                await mongo.begin(session)
                await _write_raw(mongo, session, id, writer)
                await mongo.commit(session)
                return
            except OperationFailure as error:
                await mongo.abort(session)
                if not error.has_error_label("TransientTransactionError"):
                    raise
    finally:
        await session.end_session()


async def _write_raw(mongo: Any, session: Any, id: str, writer: str) -> None:
    moved = await mongo["raw_writers"].find_one_and_update(
        {"_id": writer, "epoch": 1}, {"$inc": {"committed": 1}}, session=session
    )
    link, place = Binary(os.urandom(32)), {"writer": writer, "seq": moved["committed"] + 1}
    state = {"id": id, "name": id, "suspensions": 0, "suspended": False}
    document = {"_id": id, "version": 1, "hash": link, "prev": place, "state": state, "name": id}
    await mongo["raw_members"].insert_one(document, session=session)
    event = {
        "_id": id,
        "stream": id,
        "version": 1,
        **place,
        "prev": None,
        "topic": "t",
        "type": "t",
        "hash": link,
    }
    await mongo["raw_events"].insert_one({**event, "body": Binary(os.urandom(720))}, session=session)
