"""One house for the journeys: starting it is dear, and strangers' data must not disturb a journey anyway.

After each journey nothing may be parked and nothing may have gone wrong behind an answer; after the last one
the record must be whole.
"""

from collections.abc import AsyncIterator, Iterator, MutableMapping
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from shared.ids import new_id
from shared.messaging import parked
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
    async with open_house(mongo_url, kafka_bootstrap, f"journeys{new_id('j')[-8:].lower()}") as opened:
        await opened.until_ready()
        yield opened
        for name, report in (await opened.records()).items():
            assert report.is_whole, (name, report.findings)


@pytest_asyncio.fixture(loop_scope="session")
async def house(standing_house: House, said: list[MutableMapping[str, Any]]) -> AsyncIterator[House]:
    said.clear()
    yield standing_house
    assert [line for line in said if line["log_level"] in ("error", "critical")] == []
    for name, mongo in standing_house.databases.items():
        assert await parked.listed(mongo, LISTED_MAX) == [], name
