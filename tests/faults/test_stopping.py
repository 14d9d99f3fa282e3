"""Stopping is bounded, whatever the client libraries do: a call of theirs may hang, or may not hear that it
is to end.
"""

import asyncio

import pytest

from shared.messaging import kafka
from tests.faults.house import open_house
from tests.faults.trial import SUBSCRIPTIONS
from tests.faults.worker import Ground

pytestmark = pytest.mark.asyncio(loop_scope="session")

STOP_S_MAX = 20.0


async def deaf(times: int) -> None:
    """As a call that is answered in the very moment in which it is cancelled, so many times."""
    while True:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            if not times:
                raise
            times -= 1


async def test_a_task_that_did_not_hear_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "CANCEL_S", 0.01)
    task = asyncio.create_task(deaf(times=2))
    await asyncio.sleep(0)
    await kafka.end(task)
    assert task.cancelled()


async def test_a_task_that_never_hears_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "CANCEL_S", 0.01)
    task = asyncio.create_task(deaf(times=kafka.CANCELS_MAX))
    await asyncio.sleep(0)
    await kafka.end(task)
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


async def test_what_takes_too_long_is_ended() -> None:
    assert not await kafka.is_done_within(0.01, deaf(times=0))
    assert await kafka.is_done_within(1.0, asyncio.sleep(0))


async def test_work_does_not_outlive_whoever_waited_for_it() -> None:
    working = asyncio.Event()
    ended = asyncio.Event()

    async def work() -> None:
        working.set()
        try:
            await deaf(times=1)
        finally:
            ended.set()

    waiting = asyncio.create_task(kafka.is_done_within(60.0, work()))
    await working.wait()
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert ended.is_set()


async def test_a_producer_stops_although_whoever_stops_it_is_cancelled_at_once(kafka_bootstrap: str) -> None:
    producer = kafka.new_producer(kafka_bootstrap, "concord-stopping")
    await producer.start()
    stopping = asyncio.create_task(kafka.stop_within_bounds(producer))
    await asyncio.sleep(0)
    stopping.cancel()
    await asyncio.wait({stopping})
    assert stopping.cancelled()
    assert not any(connection.connected() for connection in producer.client._conns.values())


async def test_a_service_stops_in_time_although_its_group_is_being_shared_out_anew(ground: Ground) -> None:
    async with open_house(ground, SUBSCRIPTIONS) as first:
        await first.application.listening.started.wait()
        for _ in range(2):
            async with open_house(ground, SUBSCRIPTIONS) as second:
                await second.application.listening.started.wait()
                begun = asyncio.get_running_loop().time()
            assert asyncio.get_running_loop().time() - begun < STOP_S_MAX
