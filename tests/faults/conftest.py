"""A database and topics of its own for each test; servers of its own where a test takes them away."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, wait
from pathlib import Path

import pytest
import pytest_asyncio

from shared.ids import new_id
from tests.faults.outage import Outage, begin
from tests.faults.worker import Ground, Nursery
from tests.support.road import Road, open_road


@pytest_asyncio.fixture
async def road(mongo_url: str, kafka_bootstrap: str) -> AsyncIterator[Road]:
    async with open_road(mongo_url, kafka_bootstrap, new_id("f")[-12:].lower()) as opened:
        yield opened


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


@pytest.fixture
def ground(nursery: Nursery, mongo_url: str, kafka_bootstrap: str, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(nursery=nursery, mongo_url=mongo_url, kafka_url=kafka_bootstrap, folder=tmp_path)
    yield ground
    ground.end_what_is_left()


@pytest.fixture(scope="session")
def outage(
    nursery: Nursery, mongo_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Future[Outage]"]:
    running = begin(nursery, mongo_url, tmp_path_factory.mktemp("outage"))
    yield running
    wait([running])


@pytest.fixture(scope="session", autouse=True)
def outage_beside_the_others(request: pytest.FixtureRequest) -> None:
    """It takes its time: where its test is to be run at all, it begins with the first test."""
    if any("outage" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("outage")
