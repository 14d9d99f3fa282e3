"""One house, one browser, and what the screens show: made once for all of these tests.

After each test nothing may be parked and nothing may have gone wrong behind a page.
"""

import os
from collections.abc import AsyncIterator, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from structlog.testing import capture_logs

from shared.ids import new_id
from shared.messaging import parked
from tests.browser.chromium import open_chromium
from tests.browser.furnishing import furnished
from tests.browser.visitors import Visitors
from tests.support.house import House, open_house

LISTED_MAX = 10


@pytest.fixture(scope="package")
def said() -> Iterator[list[MutableMapping[str, Any]]]:
    """The lines of the log, as they come."""
    with capture_logs() as lines:
        yield lines


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def standing_house(
    mongo_url: str, kafka_bootstrap: str, said: list[MutableMapping[str, Any]]
) -> AsyncIterator[House]:
    async with open_house(mongo_url, kafka_bootstrap, f"browser{new_id('b')[-8:].lower()}") as opened:
        await opened.until_ready()
        yield opened


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def things(standing_house: House) -> dict[str, str]:
    """What the house is furnished with, by the names that the paths of screens use."""
    return await furnished(standing_house)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_chromium() as opened:
        yield opened


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def all_visitors(browser: Browser, standing_house: House) -> Visitors:
    return Visitors(browser, standing_house)


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(all_visitors: Visitors, said: list[MutableMapping[str, Any]]) -> AsyncIterator[Visitors]:
    """People with a browser in the house: `async with visitors.window("officer", "ar") as page`."""
    said.clear()
    yield all_visitors
    assert [line for line in said if line["log_level"] in ("error", "critical")] == []
    for name, mongo in all_visitors.house.databases.items():
        assert await parked.listed(mongo, LISTED_MAX) == [], name


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures of the screens go: CONCORD_SCREENS_DIR, else among pytest's own files."""
    kept = os.environ.get("CONCORD_SCREENS_DIR")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screens")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
