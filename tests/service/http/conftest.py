"""One small service for the tests of a module; each test brings its own people and members."""

from collections.abc import AsyncIterator

import pytest_asyncio

from shared.contracts.vocabulary import Role
from tests.service.http.small_service import SmallService, open_small_service

OFFICER = "officer"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(mongo_url: str) -> AsyncIterator[SmallService]:
    async with open_small_service(mongo_url) as opened:
        await opened.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
        yield opened
