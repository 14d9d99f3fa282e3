"""Consumers: every fact has its effect once; what cannot be handled waits, with what follows it, where a
person sees it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from shared.context import system_actor
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.messaging import parked
from shared.messaging.parked import PARKED, RawRecord
from shared.messaging.subscription import Received, Subscription
from shared.storage.repository import Unit
from tests.support.road import TOPIC, Road, until
from tests.support.writing import members, registered

pytestmark = pytest.mark.asyncio(loop_scope="session")

KNOWN = (PartnerRegistered, PartnerSuspended, PartnerReinstated)


class Effects:
    """An effect a fact: a row that may be inserted once, and how often each aggregate was seen."""

    def __init__(self) -> None:
        self.broken: set[tuple[str, int]] = set()

    @property
    def subscription(self) -> Subscription:
        return Subscription(purpose="effects", topic=TOPIC, handlers=dict.fromkeys(KNOWN, self.effect))

    async def effect(self, event: Any, received: Received, unit: Unit) -> None:
        envelope = received.envelope
        if (envelope.subject, envelope.version) in self.broken:
            raise ValueError("this one cannot be handled yet")
        unit.change.insert(
            "effects", {"_id": envelope.id, "of": envelope.subject, "version": envelope.version}
        )


async def records_of(road: Road, id: str) -> list[RawRecord]:
    events = await road.mongo["events"].find({"stream": id}).sort("version", 1).to_list(length=1000)
    return [record(event["body"], offset, id) for offset, event in enumerate(events)]


def record(value: bytes, offset: int, key: str = "") -> RawRecord:
    return RawRecord(topic=TOPIC, partition=0, offset=offset, key=key.encode(), value=value, headers=())


async def effects_of(road: Road, id: str) -> list[int]:
    found = await road.mongo["effects"].find({"of": id}).sort("version", 1).to_list(length=1000)
    return [effect["version"] for effect in found]


async def parked_reasons(road: Road) -> list[str]:
    found = await road.mongo[PARKED].find({"state": "parked"}).sort("offset", 1).to_list(length=1000)
    return [document["reason"] for document in found]


async def member_with(road: Road, versions: int) -> str:
    member = await road.writing.register()
    for _ in range(versions - 1):
        await road.writing.toggle(member.id)
    return member.id


async def test_from_a_commit_to_an_effect_through_kafka(road: Road) -> None:
    consumer = road.consumer(Effects().subscription)
    await road.listen(consumer)
    ids = [(await road.writing.register()).id for _ in range(20)]
    await asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(4)))

    async def all_there() -> bool:
        return bool(await road.mongo["effects"].count_documents({}) == 100)

    await until(all_there)
    assert [await effects_of(road, id) for id in ids] == [[1, 2, 3, 4, 5]] * 20


async def test_a_batch_that_comes_again_has_no_second_effect(road: Road) -> None:
    consumer, id = road.consumer(Effects().subscription), await member_with(road, 5)
    records = await records_of(road, id)
    await consumer.handle(records)
    await consumer.handle(records)
    await consumer.handle(records[2:4])
    assert await effects_of(road, id) == [1, 2, 3, 4, 5]
    assert await parked_reasons(road) == []


async def test_two_processes_with_one_partition_meet_at_the_watermark(road: Road) -> None:
    consumers = [road.consumer(Effects().subscription) for _ in range(3)]
    ids = [await member_with(road, 4) for _ in range(5)]
    records = [record for id in ids for record in await records_of(road, id)]
    await asyncio.gather(*(consumer.handle(records) for consumer in consumers))
    assert [await effects_of(road, id) for id in ids] == [[1, 2, 3, 4]] * 5


async def test_a_fact_that_fails_holds_back_its_own_aggregate_only(road: Road) -> None:
    effects = Effects()
    consumer = road.consumer(effects.subscription)
    failing, fine = await member_with(road, 5), await member_with(road, 5)
    effects.broken = {(failing, 3)}
    records = [*await records_of(road, failing), *(await records_of(road, fine))]
    await consumer.handle([record(r.value, offset) for offset, r in enumerate(records)])
    assert await effects_of(road, fine) == [1, 2, 3, 4, 5]
    assert await effects_of(road, failing) == [1, 2]
    assert await parked_reasons(road) == ["handler_failed", "behind", "behind"]


async def test_a_replay_gives_what_an_undisturbed_run_would_have_given(road: Road) -> None:
    effects = Effects()
    consumer, id = road.consumer(effects.subscription), await member_with(road, 8)
    records = await records_of(road, id)
    effects.broken = {(id, 2)}
    await consumer.handle(records[:6])
    with pytest.raises(ValueError, match="cannot be handled yet"):
        await consumer.replay(id, actor=system_actor("operator"), why="trying")
    effects.broken = set()
    arriving = asyncio.create_task(consumer.handle(records[6:]))
    await consumer.replay(id, actor=system_actor("operator"), why="mended")
    await arriving
    await consumer.replay(id, actor=system_actor("operator"), why="what came meanwhile")
    assert await effects_of(road, id) == list(range(1, 9))
    assert await parked_reasons(road) == []
    history = await road.mongo[PARKED].find_one({"version": 2})
    assert history["history"][-1]["who"] == "system:operator"


async def test_a_message_that_comes_again_keeps_its_own_history(road: Road) -> None:
    effects = Effects()
    consumer, id = road.consumer(effects.subscription), await member_with(road, 2)
    effects.broken = {(id, 1)}
    records = await records_of(road, id)
    await consumer.handle(records)
    await consumer.handle(records)
    assert await parked_reasons(road) == ["handler_failed", "behind"]


async def test_a_missing_version_is_waited_for(road: Road) -> None:
    consumer, id = road.consumer(Effects().subscription), await member_with(road, 4)
    records = await records_of(road, id)
    await consumer.handle([records[0], records[2], records[3]])
    assert await effects_of(road, id) == [1]
    assert await parked_reasons(road) == ["gap", "gap"]
    await consumer.handle([records[1]])
    assert await effects_of(road, id) == [1, 2, 3, 4]
    assert await parked_reasons(road) == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "empty"),
        (b"{", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 5_000, "not_json"),
        (b'{"specversion": "1.0", "data": {"x": NaN}}', "not_json"),
        (b'{"specversion": "1.0"}', "not_an_envelope"),
        (b"{" + b" " * 300_000 + b"}", "too_large"),
    ],
)
async def test_bytes_that_are_no_event_are_parked_with_a_reason(
    road: Road, value: bytes, reason: str
) -> None:
    consumer, id = road.consumer(Effects().subscription), await member_with(road, 2)
    records = await records_of(road, id)
    await consumer.handle([records[0], record(value, 900), records[1]])
    assert await effects_of(road, id) == [1, 2]
    assert await parked_reasons(road) == [reason]


async def test_headers_that_cannot_be_read_do_not_lose_the_message(road: Road) -> None:
    consumer = road.consumer(Effects().subscription)
    await road.listen(consumer)
    member = await road.writing.register()
    event = await road.mongo["events"].find_one({"stream": member.id})
    other = event["body"].replace(member.id.encode(), b"ptn_" + b"0" * 26)
    await road.send(other, "ptn_" + "0" * 26, [("content-type", None), ("ce_id", b"\xff\xfe")])

    async def both() -> bool:
        return bool(
            await road.mongo["effects"].count_documents({}) + await road.mongo[PARKED].count_documents({})
            == 2
        )

    await until(both)


async def test_a_corrected_copy_is_handled_and_the_former_one_kept(road: Road) -> None:
    consumer, id = road.consumer(Effects().subscription), await member_with(road, 1)
    good = (await records_of(road, id))[0]
    await consumer.handle([record(good.value.replace(b'"KEN"', b"null"), 0, id)])
    [reason] = await parked_reasons(road)
    assert reason == "data_does_not_fit"
    document = await road.mongo[PARKED].find_one({"state": "parked"})

    async def mend(unit: Unit) -> None:
        parked.correct(unit, document, good.value, "the country was lost")

    await road.writing.runtime.perform(road.writing.context(), mend)
    await consumer.replay(id, actor=system_actor("operator"), why="corrected")
    assert await effects_of(road, id) == [1]
    kept = await road.mongo[PARKED].find_one({"_id": document["_id"]})
    assert [entry["what"] for entry in kept["history"]] == ["corrected", "replayed"]
    assert b"null" in kept["history"][0]["former_body"]


async def test_a_type_of_tomorrow_is_passed_over_and_does_not_stop_its_aggregate(road: Road) -> None:
    consumer, id = road.consumer(Effects().subscription), await member_with(road, 3)
    first, second, third = await records_of(road, id)
    unknown = second.value.replace(b"partner.suspended.v1", b"partner.celebrated.v1")
    await consumer.handle([first, record(unknown, 1, id), third])
    assert await effects_of(road, id) == [1, 3]
    assert await parked_reasons(road) == []


async def test_a_version_with_other_content_is_parked_and_not_taken_for_a_repeat(road: Road) -> None:
    consumer, id = road.consumer(Effects().subscription), await member_with(road, 1)
    [only] = await records_of(road, id)
    await consumer.handle([only])
    envelope_id = (await road.mongo["events"].find_one({"stream": id}))["_id"]
    await consumer.handle([record(only.value.replace(envelope_id.encode(), b"another"), 5, id)])
    assert await parked_reasons(road) == ["other_content"]


async def test_facts_written_by_a_consumer_are_committed_with_its_watermark(road: Road) -> None:
    async def answer(event: PartnerRegistered, received: Received, unit: Unit) -> None:
        if not event.legal_name.startswith("echo"):
            id = "ptn_" + received.envelope.id.replace("-", "")[:26].upper().translate(
                str.maketrans("ILOU", "1100")
            )
            members.create(unit, id, [registered(id, f"echo of {event.partner_id}")])

    consumer = road.consumer(Subscription(purpose="echo", topic=TOPIC, handlers={PartnerRegistered: answer}))
    ids: Sequence[str] = [(await road.writing.register()).id for _ in range(5)]
    records = [r for id in ids for r in await records_of(road, id)]
    await asyncio.gather(consumer.handle(records), consumer.handle(records))
    assert await road.mongo["members"].count_documents({"name": {"$regex": "^echo"}}) == 5
