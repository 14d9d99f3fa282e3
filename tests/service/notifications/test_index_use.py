"""Every query of the service finds what it looks for by an index: the database itself says how it looked."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from shared.contracts.notifications.task import TaskAssigned
from shared.contracts.vocabulary import Role
from shared.ids import new_id
from shared.storage.mongo import Mongo
from tests.service.notifications.desk import an, registered, suspended, toggles
from tests.service.notifications.front import Front
from tests.support.receiver import Receiver
from tests.support.road import until

pytestmark = pytest.mark.asyncio

# Read whole on purpose: a mark for each partition, an address for each endpoint.
READ_WHOLE = ("feed_marks", "endpoint_addresses")


@pytest_asyncio.fixture
async def watched(front: Front) -> AsyncIterator[Mongo]:
    """The front's database, noting down everything that is done to it."""
    database = front.mongo.database
    await database.command({"profile": 2})
    yield front.mongo
    await database.command({"profile": 0})
    await database["system.profile"].drop()


async def test_nothing_is_searched_from_end_to_end(front: Front, receiver: Receiver, watched: Mongo) -> None:
    partner = new_id("ptn")
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    user = await front.admit(Role.PARTNER_USER, partner=partner)
    _, key = await front.register_system()
    receiver.answers("/flaky", 503, 200)
    for path in ("/ok", "/flaky", "/gone"):
        await front.post(key, "/endpoints", {"url": receiver.url(path), "types": ["*"]})
    await front.hear(registered(partner), *toggles(partner, 3), registered(new_id("ptn")))
    await front.hear(an(TaskAssigned, person_id=user, role=None))

    async def settled() -> bool:
        found = await front.read(officer, "/deliveries", state="delivered")
        return len(found["items"]) >= 10

    await until(settled)
    await read_everything(front, officer, user, key, partner)
    scans = {
        (one["ns"].partition(".")[2], str(one.get("command", {}).get("filter", one.get("command"))))
        async for one in watched["system.profile"].find({"planSummary": "COLLSCAN"})
        if not one["ns"].endswith((*READ_WHOLE, "system.profile"))
    }
    assert scans == set()
    looked = await watched["system.profile"].count_documents({"ns": {"$regex": "deliveries$"}})
    assert looked > 20, "it was noted down"


async def read_everything(front: Front, officer: str, user: str, key: str, partner: str) -> None:
    """Each list with each of its filters."""
    for who in (officer, user, key):
        for query in ({}, {"about": partner}, {"event_id": "e"}, {"recipient": user}, {"state": "dead"}):
            page = await front.read(who, "/deliveries", limit=1, **query)
            if page["next"]:
                await front.read(who, "/deliveries", limit=1, cursor=page["next"], **query)
    for who in (officer, user):
        await front.read(who, "/inbox", limit=1)
        await front.read(who, "/tasks", limit=1)
    await front.read(key, "/endpoints")
    await front.read(key, "/events", limit=3)
    delivery = (await front.read(key, "/deliveries", state="delivered"))["items"][0]
    await front.read(key, f"/deliveries/{delivery['id']}/attempts")
    await front.post(key, f"/deliveries/{delivery['id']}/replays")
    await front.hear(suspended(new_id("ptn")))
