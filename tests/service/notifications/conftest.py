"""A receiver and a sender for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from services.notifications.webhooks.adapters.http_sender import HttpSender
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
