"""A database of its own for each test, on both drivers: what holds on one must hold on the other."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio

from shared.ids import new_id
from shared.storage.mongo import Driver, Mongo
from tests.support.writing import Writing, open_writing


@pytest.fixture(params=["motor", "pymongo"])
def driver(request: pytest.FixtureRequest) -> Driver:
    return cast(Driver, request.param)


@pytest_asyncio.fixture
async def writing(mongo_url: str, driver: Driver) -> AsyncIterator[Writing]:
    async with open_writing(mongo_url, f"storage_{new_id('t')[-12:].lower()}", driver) as opened:
        yield opened


@pytest_asyncio.fixture
async def mongo(writing: Writing) -> Mongo:
    return writing.mongo
