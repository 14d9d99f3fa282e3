"""A receiver and a sender for each test, and one database of notifications, emptied before each."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.notifications.webhooks.adapters.http_sender import HttpSender
from tests.service.notifications.desk import Database, Desk, open_database
from tests.service.notifications.front import Front, open_front
from tests.service.notifications.sending import GATE
from tests.support.receiver import Receiver


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as one:
        yield one


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[HttpSender]:
    async with HttpSender(GATE) as one:
        yield one


@pytest_asyncio.fixture(scope="session")
async def one_database(mongo_url: str) -> AsyncIterator[Database]:
    async with open_database(mongo_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def database(one_database: Database) -> AsyncIterator[Database]:
    async with one_database.emptied() as database:
        yield database


@pytest_asyncio.fixture
async def desk(database: Database) -> Desk:
    """One process on it, whose senders a test starts."""
    return await database.desk()


@pytest_asyncio.fixture
async def front(database: Database) -> AsyncIterator[Front]:
    """The whole service on a socket."""
    async with open_front(database.mongo) as opened:
        yield opened
