"""The relay: a backlog beside a raw producer with the same bytes, then how soon a commit is in the topic."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer

from bench.measuring import TOPIC, Bench, Row, Stopwatch, opened, percentile, resident_mb, settle
from shared.contracts.envelope import Provenance, open_envelope, seal
from shared.ids import new_id
from shared.messaging import kafka
from shared.storage import event_log
from shared.storage.change import Place, SealedEvent
from shared.storage.event_log import Writer
from shared.storage.repository import Unit
from tests.support.writing import members, registered

EVENTS = 200_000
AGGREGATES = 10_000
BODY_BYTES = 1_024
INSERTED_AT_ONCE = 2_000
RAW_WINDOW = 5_000
STEADY_PER_S = 500
STEADY_S = 20
WARM_S = 3


async def rows(mongo_url: str, bootstrap: str) -> list[Row]:
    async with opened(mongo_url, bootstrap) as bench:
        log = await _backlog(bench)
        ours, first_tenth, end = await _drain(bench, log)
        await settle()
        raw = await _raw(bench)
        await settle()
    async with opened(mongo_url, bootstrap) as bench:
        p50, p99 = await _steady(bench)
    return [
        Row(
            what=f"relay, a backlog of {EVENTS:,} events of 1 KB",
            ours=f"{ours:,.0f}/s",
            raw=f"{raw:,.0f}/s (aiokafka, idempotent, 256 KB batches, same bytes)",
            ratio=f"{ours / raw:.2f}",
            reach="0.6 x raw, under 150 MB, growing under 20 MB",
            met=ours >= 0.6 * raw and end < 150 and end - first_tenth < 20,
            memory=f"{end:.0f} MB, {end - first_tenth:+.0f} MB since the first tenth",
        ),
        Row(
            what=f"commit to topic at {STEADY_PER_S} events/s, p99",
            ours=f"{p99:.1f} ms (p50 {p50:.1f} ms)",
            raw="",
            ratio="",
            reach="under 20 ms",
            met=p99 < 20,
            memory=f"{resident_mb():.0f} MB",
        ),
    ]


async def _backlog(bench: Bench) -> Writer:
    """What a process leaves that wrote for a while with Kafka away."""
    session = await bench.mongo.start_session()
    log = await event_log.open_log(bench.mongo, "gone", session.session_id)
    subjects = [new_id("ptn") for _ in range(AGGREGATES)]
    for start in range(0, EVENTS, INSERTED_AT_ONCE):
        events = [_event(log, subjects, number) for number in range(start, start + INSERTED_AT_ONCE)]
        await bench.mongo["events"].insert_many([event.document() for event in events], ordered=False)
    ended = [{"$set": {"committed": EVENTS, "until": "$$NOW"}}]
    await bench.mongo["writers"].update_one({"_id": log.id}, ended)
    return log


def _event(log: Writer, subjects: list[str], number: int) -> SealedEvent:
    subject, version = subjects[number % AGGREGATES], number // AGGREGATES + 1
    prev = Place(log.id, number + 1 - AGGREGATES) if version > 1 else None
    return SealedEvent(
        id=f"{number:036d}",
        stream=subject,
        version=version,
        type="partner.registered.v1",
        topic=TOPIC,
        body=body_of(subject, version),
        hash=bytes(32),
        at=_THEN,
        trace=None,
        prev=prev,
        place=Place(log.id, number + 1),
    )


def body_of(subject: str, version: int) -> bytes:
    event = registered(subject, "n" * 185)
    return seal(
        event,
        id="0" * 36,
        source="/concord/partners",
        subject=subject,
        version=version,
        provenance=_PROVENANCE,
    )


_THEN = datetime(2027, 1, 1, tzinfo=UTC)
_PROVENANCE = Provenance(actor="system:bench", time=_THEN, recorded_at=_THEN, correlation_id="0" * 36)


async def _drain(bench: Bench, log: Writer) -> tuple[float, float, float]:
    watch, first_tenth, sent = Stopwatch(), 0.0, 0
    await bench.relay.start()
    while sent < EVENTS:
        await asyncio.sleep(0.05)
        sent = await event_log.position(bench.mongo, log.id) or 0
        if not first_tenth and sent >= EVENTS // 10:
            first_tenth = resident_mb()
    return EVENTS / watch.seconds, first_tenth, resident_mb()


async def _raw(bench: Bench) -> float:
    """The same bytes under the same keys, as fast as the client takes them."""
    subjects = [new_id("ptn") for _ in range(AGGREGATES)]
    bodies = [body_of(subject, 1) for subject in subjects]
    headers = [
        ("ce_id", b"0" * 36),
        ("ce_type", b"partner.registered.v1"),
        ("content-type", b"application/json"),
    ]
    producer = kafka.new_producer(bench.bootstrap, "raw")
    await producer.start()
    topic = bench.prefix + "raw"
    await producer.send_and_wait(topic, b"first", key=b"first")
    watch = Stopwatch()
    for start in range(0, EVENTS, RAW_WINDOW):
        futures: list[Any] = []
        for number in range(start, start + RAW_WINDOW):
            key = subjects[number % AGGREGATES].encode()
            futures.append(await producer.send(topic, bodies[number % AGGREGATES], key=key, headers=headers))
        await asyncio.gather(*futures)
    took_s = watch.seconds
    await kafka.stop_within_bounds(producer)
    return EVENTS / took_s


async def _steady(bench: Bench) -> tuple[float, float]:
    """From the answer of a commit to a reader's hands, at an even rate that does not wait for answers."""
    await bench.start()
    loop = asyncio.get_running_loop()
    committed: dict[str, float] = {}
    arrived: dict[str, float] = {}
    reader = AIOKafkaConsumer(bootstrap_servers=bench.bootstrap, fetch_max_wait_ms=5)
    await reader.start()
    reader.assign(await kafka.partitions_of(bench.bootstrap, bench.prefix + TOPIC))
    await reader.seek_to_end()

    async def read() -> None:
        async for record in reader:
            arrived[open_envelope(record.value).subject] = loop.time()

    async def one(*, measured: bool) -> None:
        id = new_id("ptn")

        async def work(unit: Unit) -> None:
            members.create(unit, id, [registered(id, id)])

        await bench.runtime.perform(bench.runtime.system_context("bench"), work)
        if measured:
            committed[id] = loop.time()

    reading = asyncio.create_task(read())
    begin, total = loop.time() + 0.5, STEADY_PER_S * (WARM_S + STEADY_S)
    under_way: set[asyncio.Task[None]] = set()
    for number in range(total):
        at = begin + number / STEADY_PER_S
        await asyncio.sleep(max(0.0, at - loop.time()))
        task = asyncio.create_task(one(measured=number >= STEADY_PER_S * WARM_S))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    while not committed.keys() <= arrived.keys():
        await asyncio.sleep(0.05)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await reader.stop()
    took_ms = [max(0.0, (arrived[id] - at) * 1000) for id, at in committed.items()]
    return percentile(took_ms, 0.5), percentile(took_ms, 0.99)
