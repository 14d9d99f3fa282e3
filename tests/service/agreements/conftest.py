"""One agreements service for these tests, emptied before each."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.service.agreements.desk import Desk, open_desk


@pytest_asyncio.fixture(scope="session")
async def one_desk(mongo_url: str) -> AsyncIterator[Desk]:
    async with open_desk(mongo_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def desk(one_desk: Desk) -> Desk:
    await one_desk.clear()
    return one_desk


@pytest_asyncio.fixture
async def small_steps(desk: Desk) -> Desk:
    """A desk whose cascades take a few agreements at a time."""
    desk.take_small_steps()
    return desk
