"""Views: level with their topics, the same when rebuilt, and never away from their readers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from shared.clock import SystemClock
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.messaging import kafka
from shared.messaging.subscription import Received
from shared.messaging.view_follower import ViewFollower
from shared.storage import views
from shared.storage.views import Rows, View
from tests.support.road import TOPIC, Road, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


def seen(event: Any, received: Received, rows: Rows) -> None:
    row = rows.get(event.partner_id)
    if received.envelope.version > row.get("version", 0):
        suspensions = row.get("suspensions", 0) + isinstance(event, PartnerSuspended)
        rows.put({"_id": row["_id"], "version": received.envelope.version, "suspensions": suspensions})


VIEW = View(
    name="suspensions",
    topics=(TOPIC,),
    project=dict.fromkeys((PartnerRegistered, PartnerSuspended, PartnerReinstated), seen),
    row_of=lambda event: event.partner_id,
)


def follower(road: Road, owner: str = "one") -> ViewFollower:
    return ViewFollower(
        road.mongo, VIEW, bootstrap=road.bootstrap, clock=SystemClock(), owner=owner, topic_prefix=road.prefix
    )


@asynccontextmanager
async def following(*followers: ViewFollower) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in followers]
    try:
        yield
    finally:
        for one in followers:
            one.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def rows_of(road: Road) -> dict[str, tuple[int, int]]:
    generation = (await views.live(road.mongo, VIEW)).generation
    rows = await road.mongo[VIEW.collection(generation)].find().to_list(length=10_000)
    return {row["_id"]: (row["version"], row["suspensions"]) for row in rows}


async def expected(road: Road) -> dict[str, tuple[int, int]]:
    members = await road.mongo["members"].find().to_list(length=10_000)
    return {m["_id"]: (m["version"], m["state"]["suspensions"]) for m in members}


async def level(road: Road) -> bool:
    return await rows_of(road) == await expected(road)


async def test_a_view_becomes_level_and_says_as_of_when(road: Road) -> None:
    ids = [(await road.writing.register()).id for _ in range(10)]
    async with following(follower(road)):
        await asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(3)))
        await until(lambda: level(road))

        async def dated() -> bool:
            return (await views.live(road.mongo, VIEW)).as_of is not None

        await until(dated)


async def test_a_rebuild_under_writes_gives_what_is_live_and_is_switched_to(road: Road) -> None:
    ids = [(await road.writing.register()).id for _ in range(10)]
    async with following(follower(road)):
        await asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(5)))
        writing = asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(5)))
        generation = await follower(road, "another").rebuild()
        await writing
        assert generation == 2
        await until(lambda: level(road))
        assert await generations(road) == {1, 2}, "somebody may be in the middle of reading the former one"
        await follower(road, "another").rebuild()
        assert await generations(road) == {2, 3}


async def generations(road: Road) -> set[int]:
    names = await road.mongo.database.list_collection_names()
    return {int(name.rpartition("_")[2]) for name in names if name.startswith("view_suspensions_")}


async def test_two_processes_do_not_count_a_record_twice(road: Road) -> None:
    ids = [(await road.writing.register()).id for _ in range(5)]
    async with following(follower(road, "one"), follower(road, "two")):
        await asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(6)))
        await until(lambda: level(road))
    assert all(count == 3 for _, count in (await rows_of(road)).values())


async def test_a_hole_in_the_offsets_does_not_stop_a_view(road: Road) -> None:
    """As a producer's transactions leave one, whose markers take an offset and are nobody's record."""
    name = road.prefix + TOPIC
    partitions = await kafka.partitions_of(road.bootstrap, name)

    async def all_read() -> bool:
        return len([at for at in (await views.positions(road.mongo, VIEW, 1)).values() if at]) == len(
            partitions
        )

    async with following(follower(road)):
        stranger = AIOKafkaProducer(bootstrap_servers=road.bootstrap, transactional_id=name)
        await stranger.start()
        async with stranger.transaction():
            for partition in partitions:
                await stranger.send_and_wait(name, b"not ours", partition=partition.partition)
        await kafka.stop_within_bounds(stranger)
        await until(all_read)
        await asyncio.gather(*(road.writing.register() for _ in range(10)))
        await until(lambda: level(road))


async def test_a_view_goes_on_once_its_projection_is_mended(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.messaging.view_follower.RETRY_S", 0.05)
    failures: list[str] = []
    broken = True

    def project(event: Any, received: Received, rows: Rows) -> None:
        if broken:
            failures.append(event.partner_id)
            raise ValueError("a bug")
        seen(event, received, rows)

    async def failed_twice() -> bool:
        return len(failures) >= 2

    await road.writing.register()
    one = follower(road)
    one.view = replace(VIEW, project=dict.fromkeys(VIEW.project, project))
    async with following(one):
        await until(failed_twice)
        broken = False
        await until(lambda: level(road))


async def test_partitions_that_are_added_are_read_too(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.messaging.view_follower.METADATA_MS", 500)
    async with following(follower(road)):
        await road.writing.register()
        await until(lambda: level(road))
        admin = AIOKafkaAdminClient(bootstrap_servers=road.bootstrap)
        await admin.start()
        await admin.create_partitions({road.prefix + TOPIC: NewPartitions(total_count=kafka.PARTITIONS + 1)})
        await admin.close()
        member = await road.writing.register()
        event = await road.mongo["events"].find_one({"stream": member.id})
        await road.send(event["body"], member.id, partition=kafka.PARTITIONS)
        await until(lambda: read_to_the_end_of(road, kafka.PARTITIONS))


async def read_to_the_end_of(road: Road, partition: int) -> bool:
    return (await views.positions(road.mongo, VIEW, 1)).get((TOPIC, partition), 0) > 0


async def test_a_rebuild_that_was_cut_short_is_gone_on_with(road: Road) -> None:
    ids = [(await road.writing.register()).id for _ in range(5)]
    await asyncio.gather(*(road.writing.toggle(id) for id in ids for _ in range(4)))
    cut = asyncio.create_task(follower(road).rebuild())
    await asyncio.sleep(0.3)
    cut.cancel()
    await asyncio.gather(cut, return_exceptions=True)

    async def sent() -> bool:
        return road.relay.behind == 0

    await until(sent)
    await follower(road).rebuild()
    assert await rows_of(road) == await expected(road)
