"""What is remembered of a reader may open a delivery, and never ends one."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from services.notifications.deliveries.domain.delivery import About, Item
from services.notifications.deliveries.readers import Readers
from shared.clock import SystemClock
from shared.contracts.notifications.delivery import Channel
from shared.contracts.vocabulary import Role, Visibility
from shared.http.directory_projection import DIRECTORY
from shared.ids import new_id
from shared.storage.mongo import Mongo

pytestmark = pytest.mark.asyncio
NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
PARTNER, PERSON = new_id("ptn"), new_id("prs")
USER_OF_IT = {"role": Role.PARTNER_USER.value, "scope": [["partner", PARTNER]]}


@pytest_asyncio.fixture
async def mongo(mongo_url: str) -> AsyncIterator[Mongo]:
    opened = Mongo(mongo_url, f"readers_{new_id('t')[-8:].lower()}")
    yield opened
    await opened.client.drop_database(opened.database.name)
    await opened.close()


async def test_who_was_given_a_role_a_moment_ago_is_told_all_the_same(mongo: Mongo) -> None:
    readers = Readers(mongo, SystemClock())
    await grant(mongo)
    assert not await readers.may_be_told(notice())
    await grant(mongo, USER_OF_IT)
    assert await readers.may_be_told(notice())


async def test_a_burst_of_notices_asks_for_its_reader_once(mongo: Mongo) -> None:
    readers = Readers(mongo, SystemClock())
    await grant(mongo, USER_OF_IT)
    assert await readers.may_be_told(notice())
    await mongo[DIRECTORY].delete_one({"_id": PERSON})
    assert await readers.may_be_told(notice())


async def grant(mongo: Mongo, *grants: dict[str, Any]) -> None:
    entry = {"_id": PERSON, "grants": list(grants)}
    await mongo[DIRECTORY].replace_one({"_id": PERSON}, entry, upsert=True)


def notice() -> Item:
    return Item(
        key="agreement_sent.inbox",
        id=new_id("dlv"),
        channel=Channel.INBOX,
        target="inbox",
        recipient=PERSON,
        owner=PERSON,
        about=About(
            event_id="01938a3c-0000-7000-8000-000000000000",
            event_type="agreement.sent_for_signature.v1",
            subject=new_id("agr"),
            version=3,
            visibility=Visibility.PARTNER,
            audience=(f"partner:{PARTNER}",),
        ),
        content={},
        speaks_for=None,
        lane=None,
        attempts=0,
        queued_at=NOON,
        since=NOON,
        lease="lease",
        leased_until=NOON,
        correlation_id="c",
        trace=None,
    )
