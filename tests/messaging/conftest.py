"""Topics of its own for each test, on the real broker."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio

from shared.ids import new_id
from tests.support.road import Road, open_road


@pytest_asyncio.fixture
async def road(mongo_url: str, kafka_bootstrap: str) -> AsyncIterator[Road]:
    async with AsyncExitStack() as stack:
        name = new_id("t")[-12:].lower()
        yield await stack.enter_async_context(open_road(mongo_url, kafka_bootstrap, name))
