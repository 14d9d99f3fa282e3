"""Consumers with their effect in MongoDB, and views built anew, from a topic that is there already."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

from bench.measuring import TOPIC, Bench, Row, Stopwatch, opened, resident_mb, settle
from bench.relaying import body_of
from shared.clock import SystemClock
from shared.contracts.partners.partner import PartnerRegistered
from shared.ids import new_id
from shared.messaging import kafka
from shared.messaging.broker import Listening
from shared.messaging.consumer import Consumer
from shared.messaging.subscription import Received, Subscription
from shared.messaging.view_follower import ViewFollower
from shared.storage.repository import Unit
from shared.storage.views import Rows, View
from shared.telemetry import Metrics

AGGREGATES = 10_000
VERSIONS = 8
EVENTS = AGGREGATES * VERSIONS
WINDOW = 5_000


async def rows(mongo_url: str, bootstrap: str) -> list[Row]:
    async with opened(mongo_url, bootstrap) as bench:
        await bench.committer.start()
        await _fill(bench)
        raw = await _raw(bench)
        await settle()
        consumed = await _consume(bench)
        await settle()
        rebuilt = await _rebuild(bench)
        memory = f"{resident_mb():.0f} MB"
    return [
        Row(
            what="batch consumer with its effect in MongoDB",
            ours=f"{consumed:,.0f}/s",
            raw=f"{raw:,.0f}/s (getmany alone, no effect)",
            ratio=f"{consumed / raw:.2f}",
            reach="8,000/s",
            met=consumed >= 8_000,
            memory=memory,
        ),
        Row(
            what="view rebuilt",
            ours=f"{rebuilt:,.0f}/s",
            raw=f"{raw:,.0f}/s (getmany alone, no effect)",
            ratio=f"{rebuilt / raw:.2f}",
            reach="10,000/s",
            met=rebuilt >= 10_000,
            memory=memory,
        ),
    ]


async def _fill(bench: Bench) -> None:
    subjects = [new_id("ptn") for _ in range(AGGREGATES)]
    producer = kafka.new_producer(bench.bootstrap, "fill")
    await producer.start()
    futures: list[Any] = []
    for version in range(1, VERSIONS + 1):
        for subject in subjects:
            body = body_of(subject, version)
            futures.append(await producer.send(bench.prefix + TOPIC, body, key=subject.encode()))
            if len(futures) == WINDOW:
                await asyncio.gather(*futures)
                futures.clear()
    await asyncio.gather(*futures)
    await kafka.stop_within_bounds(producer)


async def _raw(bench: Bench) -> float:
    reader = AIOKafkaConsumer(bootstrap_servers=bench.bootstrap, auto_offset_reset="earliest")
    await reader.start()
    reader.assign(await kafka.partitions_of(bench.bootstrap, bench.prefix + TOPIC))
    watch, read = Stopwatch(), 0
    while read < EVENTS:
        read += sum(map(len, (await reader.getmany(timeout_ms=500, max_records=500)).values()))
    took_s = watch.seconds
    await reader.stop()
    return EVENTS / took_s


async def _consume(bench: Bench) -> float:
    """From the first record's effect to the last one's."""
    done = asyncio.Event()
    began: list[Stopwatch] = []
    count = 0

    async def keep(event: PartnerRegistered, received: Received, unit: Unit) -> None:
        unit.put(
            "kept", {"_id": event.partner_id, "version": received.envelope.version, "name": event.legal_name}
        )

    async def counted(unit: Unit) -> None:
        nonlocal count
        if not began:
            began.append(Stopwatch())
            return
        count = await bench.mongo["kept"].count_documents({"version": VERSIONS})
        if count == AGGREGATES:
            done.set()

    bench.runtime.observers.append(counted)
    subscription = Subscription(purpose="bench", topic=TOPIC, handlers={PartnerRegistered: keep})
    listening = Listening(
        [Consumer(bench.runtime, subscription, Metrics())],
        bootstrap=bench.bootstrap,
        client_id="bench",
        metrics=Metrics(),
        topic_prefix=bench.prefix,
    )
    await listening.start()
    await done.wait()
    took_s = began[0].seconds
    await listening.stop()
    bench.runtime.observers.clear()
    return EVENTS / took_s


def _last_seen(event: PartnerRegistered, received: Received, seen: Rows) -> None:
    seen.put({"_id": event.partner_id, "version": received.envelope.version, "name": event.legal_name})


async def _rebuild(bench: Bench) -> float:
    view = View(
        name="bench",
        topics=(TOPIC,),
        project={PartnerRegistered: _last_seen},
        row_of=lambda event: event.partner_id,
    )
    follower = ViewFollower(
        bench.mongo,
        view,
        bootstrap=bench.bootstrap,
        clock=SystemClock(),
        owner="bench",
        topic_prefix=bench.prefix,
    )
    watch = Stopwatch()
    await follower.rebuild()
    return EVENTS / watch.seconds
