"""F8: messages that nobody should have sent. Each that cannot be read is parked once, for its own reason;
what is merely odd is handled; nobody else notices.
"""

import asyncio
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.envelope import open_envelope
from shared.messaging import kafka
from shared.storage.mongo import Mongo
from tests.faults import trial
from tests.faults.checker_effects import effects_happen_in_order, effects_happen_once, offsets_pass_nothing
from tests.faults.evidence import Evidence, consumer_name, gather, heard_by
from tests.faults.house import House, open_house
from tests.faults.settling import settle, wait_for
from tests.faults.worker import Ground

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD_COMMANDS = 600
HANDLED = "handled"
STRANGER = "ptn_" + "9" * 25 + "A"

Header = tuple[str, bytes | None]


@dataclass(frozen=True, kw_only=True)
class Poison:
    """`becomes`: the reason it is parked for, or that it is handled. `key`: another aggregate than anybody's,
    unless it is meant for one.
    """

    kind: str
    value: bytes | None
    becomes: str
    key: bytes | None = None
    headers: Sequence[Header] = field(default_factory=tuple)

    @property
    def sent_under(self) -> bytes:
        return self.key if self.key is not None else f"poison_{self.kind}".encode()


def zoo(good: bytes) -> list[Poison]:
    """`good` is the first event of an aggregate, already handled; copies are of aggregates of their own."""
    return [
        Poison(kind="cut_short", value=good[:-20], becomes="not_json"),
        Poison(kind="tombstone", value=None, becomes="empty"),
        Poison(kind="not_utf8", value=good.replace(b"KEN", b"K\xffN"), becomes="not_json"),
        Poison(kind="nan", value=good.replace(b'"KEN"', b"NaN"), becomes="not_json"),
        Poison(kind="deep", value=b'{"data":' + b"[" * 50_000, becomes="not_json"),
        Poison(kind="without_id", value=without(good, "id"), becomes="not_an_envelope"),
        Poison(kind="other_version", value=copy(good, 0, specversion="2.0"), becomes="not_an_envelope"),
        Poison(kind="version_zero", value=copy(good, 1, sequence="0" * 12), becomes="not_an_envelope"),
        Poison(kind="large", value=b" " * 900 * 1024 + good, becomes="too_large"),
        Poison(kind="data_lost", value=copy(good, 2, data={}), becomes="data_does_not_fit"),
        Poison(kind="binary_key", value=b"{", key=b"\xff\xfe", becomes="not_json"),
        Poison(kind="same_id", value=good.replace(b"KEN", b"UGA"), key=of(good), becomes="other_content"),
        Poison(kind="same_version", value=copy_of_id(good), key=of(good), becomes="other_content"),
        Poison(kind="future", value=copy(good, 3, sequence=f"{7:012d}"), becomes="gap"),
        Poison(kind="unknown_type", value=copy(good, 4, type="partner.celebrated.v1"), becomes=HANDLED),
        Poison(kind="unknown_version", value=copy(good, 5, type="partner.registered.v9"), becomes=HANDLED),
        Poison(kind="null_header", value=copy(good, 6), headers=(("ce_id", None),), becomes=HANDLED),
        Poison(kind="odd_header", value=copy(good, 7), headers=(("x", b"\xff\xfe"),), becomes=HANDLED),
        Poison(
            kind="content_type",
            value=copy(good, 8),
            headers=(("content-type", b"text/xml"),),
            becomes=HANDLED,
        ),
        Poison(kind="without_headers", value=copy(good, 9), becomes=HANDLED),
    ]


def copy(good: bytes, number: int, **changes: Any) -> bytes:
    """The same of another aggregate."""
    fields = json.loads(good)
    fields.update(subject=f"{STRANGER[:-1]}{number}", id=f"copy-{number}", **changes)
    return json.dumps(fields).encode()


def copy_of_id(good: bytes) -> bytes:
    return json.dumps({**json.loads(good), "id": "another"}).encode()


def without(good: bytes, name: str) -> bytes:
    return json.dumps({key: value for key, value in json.loads(good).items() if key != name}).encode()


def of(good: bytes) -> bytes:
    return open_envelope(good).subject.encode()


async def send(ground: Ground, poisons: Sequence[Poison]) -> None:
    producer: AIOKafkaProducer = kafka.new_producer(ground.kafka_url, "stranger")
    await producer.start()
    try:
        for poison in poisons:
            topic = ground.topic_prefix + trial.PARTNERS
            headers = list(poison.headers)
            await producer.send_and_wait(topic, poison.value, key=poison.sent_under, headers=headers)
    finally:
        await producer.stop()


async def parked_in_all(ground: Ground, count: int) -> None:
    async def left(mongo: Mongo) -> str:
        found = await mongo["parked"].count_documents({})
        return f"{found} of {count} are parked" if found < count else ""

    await wait_for(ground, left, within_s=30)


async def one_good_event(house: House) -> bytes:
    """Of an aggregate that stays at its first version, and was handled."""
    await house.callers("first", rate=1).ask("first", [STRANGER])
    await settle(house.ground, heard=heard_by(HEARS))
    event = await house.runtime.mongo["events"].find_one({"stream": STRANGER})
    return bytes(event["body"])


HEARS = (trial.effects_subscription(),)


@pytest.mark.timeout(120)
async def test_a_zoo_of_poison_is_parked_for_its_reasons_and_nobody_else_notices(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.consumer.ATTEMPT_DELAY_S", 0.01)
    async with open_house(ground, HEARS) as house:
        poisons = zoo(await one_good_event(house))
        bad = [poison for poison in poisons if poison.becomes != HANDLED]
        callers = house.callers(rate=200, members=40, commands_max=GOOD_COMMANDS)
        await send_among(house, callers.run(), poisons)
        await parked_in_all(ground, len(bad))
        await settle(ground, heard=heard_by(HEARS))
        handled = [poison for poison in poisons if poison.becomes == HANDLED]
        await seen(ground, handled)
    evidence = await gather(ground, heard_by(HEARS))
    assert reasons(evidence, poisons) == {poison.kind: [poison.becomes] for poison in bad}
    assert list(effects_happen_in_order(evidence)) == []
    assert list(offsets_pass_nothing(evidence)) == []
    strangers = {effect["_id"] for effect in evidence.effects if effect["stream"].startswith(STRANGER[:-1])}
    lost = [finding for finding in effects_happen_once(evidence) if not any(s in finding for s in strangers)]
    assert lost == []


async def send_among(house: House, calling: Coroutine[Any, Any, None], poisons: Sequence[Poison]) -> None:
    """The poison comes in the middle of good messages, one by one."""
    good = asyncio.create_task(calling)
    await send(house.ground, poisons)
    await good


async def seen(ground: Ground, poisons: Sequence[Poison]) -> None:
    """The watermark of each has moved: it was handled, or passed over as of a type of tomorrow."""

    async def left(mongo: Mongo) -> str:
        for poison in poisons:
            id = f"{consumer_name('effects')}|{open_envelope(poison.value or b'').subject}"
            if await mongo["watermarks"].find_one({"_id": id, "version": 1}) is None:
                return f"{poison.kind} was not handled"
        return ""

    await wait_for(ground, left, within_s=30)


def reasons(evidence: Evidence, poisons: Sequence[Poison]) -> dict[str, list[str]]:
    """What became of each kind that is parked: a reason for every time it was."""
    kind_of = {poison.value or b"": poison.kind for poison in poisons}
    found: dict[str, list[str]] = {}
    for message in evidence.parked:
        found.setdefault(kind_of[bytes(message["body"])], []).append(message["reason"])
    return found
