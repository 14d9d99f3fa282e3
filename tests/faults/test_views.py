"""F14: a view is rebuilt while it is written to and read, and who rebuilds it is killed halfway."""

import asyncio
from dataclasses import dataclass, field

import pytest

from shared.storage import views
from shared.storage.mongo import Mongo
from tests.faults.checker import findings
from tests.faults.evidence import Evidence, gather
from tests.faults.scale import scale
from tests.faults.settling import settle, wait_for
from tests.faults.trial import MEMBERS_VIEW as VIEW
from tests.faults.trial import PARTNERS, member_id
from tests.faults.worker import Ground, Process

pytestmark = pytest.mark.asyncio(loop_scope="session")

BACKLOG = scale(600, 20_000)
RATE = scale(60, 250)
MEMBERS = 30
# So slow that a kill comes in the middle of it.
RECORDS_AT_ONCE = scale(5, 100)
READ_GAP_S_MAX = 1.0
# The server ends a transaction that nobody goes on with after a minute, and looks for such once in a minute.
LOCKED_S_MAX = 130.0


@dataclass
class Reader:
    """Reads one row after the other through the pointer, slowly: the pointer is old when the row is read."""

    mongo: Mongo
    versions: dict[str, int] = field(default_factory=dict)
    vanished: list[str] = field(default_factory=list)
    gap_s: float = 0.0

    async def run(self, ended: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        last = clock()
        while not ended.is_set():
            live = await views.live(self.mongo, VIEW)
            await asyncio.sleep(0.05)
            rows = await self.mongo[VIEW.collection(live.generation)].find().to_list(length=MEMBERS)
            found = {row["_id"]: row["version"] for row in rows}
            self.vanished.extend(self.versions.keys() - found.keys())
            self.versions.update(found)
            last, self.gap_s = clock(), max(self.gap_s, clock() - last)


@pytest.mark.timeout(scale(300, 900))
async def test_a_rebuild_that_is_killed_and_begun_again_leaves_no_gap_and_no_difference(
    ground: Ground,
) -> None:
    writer = await asyncio.to_thread(started, ground, "a", rate=RATE, members=MEMBERS)
    await events(ground, BACKLOG)
    mongo, ended = Mongo(ground.mongo_url, ground.database), asyncio.Event()
    reader = Reader(mongo)
    reading = asyncio.create_task(reader.run(ended))
    killed = await asyncio.to_thread(started, ground, "b", rate=0, rebuild_records=RECORDS_AT_ONCE)
    halfway = await rows_read(ground, 2, at_least=BACKLOG // 3)
    await asyncio.to_thread(killed.kill)
    second = await asyncio.to_thread(started, ground, "b", rate=0, rebuild_records=10 * RECORDS_AT_ONCE)
    await generation(ground, 2)  # Also where the kill left a transaction that holds what is to be written.
    await asyncio.to_thread(writer.stop)
    last = await asyncio.to_thread(started, ground, "a", rate=0)
    await settle(ground)
    await level(ground)
    ended.set()
    await reading
    await mongo.close()
    for process in (second, last):
        await asyncio.to_thread(process.stop)
    assert halfway < BACKLOG
    assert findings(await gather(ground)) == []
    assert reader.vanished == []
    assert reader.gap_s < READ_GAP_S_MAX
    assert set(reader.versions) == {member_id(number) for number in range(MEMBERS)}


def started(ground: Ground, name: str, **orders: object) -> Process:
    return Process(ground, name, **orders).wait_until_started()


async def events(ground: Ground, count: int) -> None:
    async def left(mongo: Mongo) -> str:
        found = await mongo["events"].count_documents({"topic": PARTNERS})
        return f"{found} of {count} events" if found < count else ""

    await wait_for(ground, left)


async def rows_read(ground: Ground, of_generation: int, *, at_least: int) -> int:
    """How many records a generation has read, once there are enough of them."""
    read = 0

    async def left(mongo: Mongo) -> str:
        nonlocal read
        read = sum((await views.positions(mongo, VIEW, of_generation)).values())
        return f"{read} of {at_least} records are read" if read < at_least else ""

    await wait_for(ground, left)
    return read


async def generation(ground: Ground, wanted: int) -> None:
    async def left(mongo: Mongo) -> str:
        live = await views.live(mongo, VIEW)
        return f"generation {live.generation} is live" if live.generation != wanted else ""

    await wait_for(ground, left, within_s=LOCKED_S_MAX)


async def level(ground: Ground) -> None:
    """What is live is what the events give (I8)."""
    evidence = await gather(ground)

    async def left(mongo: Mongo) -> str:
        live = await views.live(mongo, VIEW)
        rows = await mongo[VIEW.collection(live.generation)].find().sort("_id", 1).to_list(length=MEMBERS + 1)
        different = [row["_id"] for row in rows if row != expected(evidence)[row["_id"]]]
        return f"{different} differ" if different or len(rows) != MEMBERS else ""

    await wait_for(ground, left, within_s=20)


def expected(evidence: Evidence) -> dict[str, dict[str, object]]:
    return {
        state["_id"]: {
            "_id": state["_id"],
            "version": state["version"],
            "suspensions": state["state"]["suspensions"],
        }
        for state in evidence.states["members"]
    }
