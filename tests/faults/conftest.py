"""A database and topics of its own for each test; servers of its own where a test takes them away."""

from collections.abc import AsyncIterator

import pytest_asyncio

from shared.ids import new_id
from tests.support.road import Road, open_road


@pytest_asyncio.fixture
async def road(mongo_url: str, kafka_bootstrap: str) -> AsyncIterator[Road]:
    async with open_road(mongo_url, kafka_bootstrap, new_id("f")[-12:].lower()) as opened:
        yield opened
