"""One small service with screens for the tests of a module; each test brings its own members."""

from collections.abc import AsyncIterator

import pytest_asyncio

from shared.contracts.vocabulary import Role
from tests.service.http.small_service import SmallService, open_small_service
from tests.service.web.member_pages import ROOMS
from tests.support.browsing import Browser, browser_of

OFFICER, NOBODY = "officer", "delegate"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(mongo_url: str) -> AsyncIterator[SmallService]:
    async with open_small_service(mongo_url, rooms=ROOMS) as opened:
        await opened.admit(OFFICER, Role.PARTNERSHIP_OFFICER)
        await opened.admit(NOBODY, Role.MEMBER_STATE_DELEGATE)
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def officer(service: SmallService) -> Browser:
    return browser_of(service.app, OFFICER, name="Nia Adéọlá")
