"""F9: the primary steps down, or is gone at once. F10: nobody learns whether a commit was done.

Three members; processes of the service and their callers go on all the time. What was acknowledged is there
afterwards, what was asked for again under its key happened once, and the pause is short.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from pymongo.errors import PyMongoError

from deploy.local.mongo_member import MongoMember, client
from deploy.local.mongodb import MongoServer, start_mongodb
from deploy.local.ports import LOOPBACK
from deploy.local.servers import TEST_CACHE_GB
from tests.faults.checker import findings
from tests.faults.evidence import Evidence, gather, heard_by
from tests.faults.history import Said
from tests.faults.house import House, open_house
from tests.faults.proxy import Loss, LossyProxy, lossy_proxy
from tests.faults.scale import scale
from tests.faults.settling import settle
from tests.faults.worker import Ground, Nursery, Process, commands_of
from tests.local.waiting import wait_until

PAUSE_S_MAX = 15.0
LOSSES_OF_EACH_KIND = scale(1, 8)
COMMANDS_BETWEEN = 20
COMMANDS_WITH_LOSSES = scale(150, 5_000)


@pytest.fixture(scope="module")
def set_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    folder = tmp_path_factory.mktemp("three")
    server = start_mongodb(folder / "data", log_dir=folder / "log", members=3, cache_gb=TEST_CACHE_GB)
    yield server
    server.stop()


@pytest.fixture
def on_three(nursery: Nursery, set_of_three: MongoServer, kafka_bootstrap: str, tmp_path: Path) -> Ground:
    """The lease is longer than an election, as it is in a real deployment."""
    return Ground(
        nursery=nursery, mongo_url=set_of_three.url, kafka_url=kafka_bootstrap, folder=tmp_path, lease_s=20
    )


@pytest.mark.timeout(scale(200, 1_800))
def test_what_was_acknowledged_survives_the_loss_of_the_primary(
    on_three: Ground, set_of_three: MongoServer
) -> None:
    pair = [Process(on_three, name, rate=20).wait_until_started() for name in ("a", "b")]
    wait_for_commands(on_three)
    for _ in range(LOSSES_OF_EACH_KIND):
        step_down(set_of_three.primary())
        wait_for_commands(on_three)
        lost = set_of_three.primary()
        lost.kill()
        wait_for_commands(on_three)
        lost.start_again()
        wait_for_commands(on_three)
    evidence = end(on_three, pair)
    assert findings(evidence) == []
    assert longest_pause_s(evidence) < PAUSE_S_MAX


def step_down(primary: MongoMember) -> None:
    with (
        client(primary.url) as asked,
        suppress(PyMongoError),
    ):  # It closes the connection instead of answering.
        asked.admin.command({"replSetStepDown": 20, "secondaryCatchUpPeriodSecs": 5})


def accepted(ground: Ground) -> int:
    return sum(command.outcome is Said.ACCEPTED for command in commands_of(ground).values())


def wait_for_commands(ground: Ground) -> None:
    before = accepted(ground)
    wait_until(
        lambda: accepted(ground) >= before + COMMANDS_BETWEEN,
        timeout_s=60,
        what=f"{COMMANDS_BETWEEN} more commands",
    )


def longest_pause_s(evidence: Evidence) -> float:
    answered = sorted(
        command.answered_at for command in evidence.commands.values() if command.outcome is Said.ACCEPTED
    )
    return max(later - earlier for earlier, later in pairwise(answered))


def end(ground: Ground, processes: list[Process]) -> Evidence:
    for process in processes:
        process.stop()
    quiet = [Process(ground, process.name, rate=0) for process in processes]
    asyncio.run(settle(ground))
    for process in quiet:
        process.stop()
    return asyncio.run(gather(ground))


@pytest.mark.parametrize("how", [Loss.CONNECTION, Loss.SILENCE])
@pytest.mark.asyncio(loop_scope="session")
async def test_a_commit_whose_answer_is_lost_happens_once(
    on_three: Ground, set_of_three: MongoServer, how: Loss, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.mongo.SOCKET_MS", 500)
    primary = await asyncio.to_thread(set_of_three.primary)
    with lossy_proxy(LOOPBACK, primary.port) as proxy:
        async with open_house(replace(on_three, mongo_url=proxy.url)) as house:
            proxy.chance, proxy.how = (0.2, how) if how is Loss.CONNECTION else (0.05, how)
            await house.callers(rate=100, commands_max=COMMANDS_WITH_LOSSES).run()
            proxy.chance = 0.0
    evidence = await gather(on_three, heard_by([]))
    assert findings(evidence) == []
    assert proxy.lost > 0
    assert {command.outcome for command in evidence.commands.values()} == {Said.ACCEPTED}


@pytest.mark.asyncio(loop_scope="session")
async def test_a_commit_nobody_ever_hears_of_gives_the_log_up_and_its_callers_ask_again(
    on_three: Ground, set_of_three: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.mongo.COMMIT_GIVE_UP_S", 0.5)
    primary = await asyncio.to_thread(set_of_three.primary)
    with lossy_proxy(LOOPBACK, primary.port) as proxy:
        ground = replace(on_three, mongo_url=proxy.url, lease_s=3)
        async with open_house(ground) as house:
            await lose_every_answer_for_a_while(house, proxy)
    async with open_house(replace(on_three, lease_s=3)):
        await settle(on_three, heard=heard_by([]))
    evidence = await gather(on_three, heard_by([]))
    assert findings(evidence) == []
    assert len(evidence.writers) > 2, "the writer was given up, and another one begun"
    assert Counter(command.outcome for command in evidence.commands.values()) == {Said.ACCEPTED: 120}


async def lose_every_answer_for_a_while(house: House, proxy: LossyProxy) -> None:
    calling = asyncio.create_task(house.callers(rate=50, commands_max=120).run())
    for _ in range(2):
        await asyncio.sleep(0.5)
        proxy.chance = 1.0
        await asyncio.sleep(1.5)
        proxy.chance = 0.0
    await calling
