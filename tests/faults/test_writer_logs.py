"""Who holds a log, and who looks for the rest of it: no log is ever left standing."""

import asyncio
from dataclasses import replace

import pytest

from shared.errors import Conflict
from shared.storage import event_log
from shared.storage.change import Change
from shared.storage.event_log import Writer
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from tests.faults.checker import findings
from tests.faults.evidence import gather, heard_by
from tests.faults.history import Said
from tests.faults.house import House, open_house
from tests.faults.proxy import lossy_proxy
from tests.faults.settling import settle, wait_for
from tests.faults.trial import member_id
from tests.faults.worker import Ground
from tests.support.writing import members

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEASE_S = 1.0


def writer_of(house: House) -> Writer:
    writer = house.application.committer.writer
    assert writer is not None
    return writer


async def say_its_lease_has_run_out(mongo: Mongo, writer: Writer) -> None:
    await mongo["writers"].update_one({"_id": writer.id}, [{"$set": {"until": "$$NOW"}}])


async def drained(ground: Ground, writer: Writer, within_s: float) -> None:
    async def left(mongo: Mongo) -> str:
        document = await mongo["writers"].find_one({"_id": writer.id})
        return "" if document["drained"] else f"{writer.id} is not drained"

    await wait_for(ground, left, within_s=within_s)


async def test_a_process_busy_with_changes_that_make_no_events_keeps_its_log(ground: Ground) -> None:
    async with open_house(replace(ground, lease_s=LEASE_S)) as house:
        before, loop = writer_of(house), asyncio.get_running_loop()
        end = loop.time() + 3 * LEASE_S
        while loop.time() < end:
            change = Change()
            change.put("notes", {"_id": "busy", "at": loop.time()})
            await house.application.committer.commit(change)
        assert await event_log.adopt_next(house.runtime.mongo, "somebody") is None
        assert writer_of(house) == before


async def test_a_process_that_took_its_own_log_over_sends_the_rest_of_it(ground: Ground) -> None:
    """As after a sleep that nobody else noticed. It must not wait for another lease to run out."""
    async with open_house(replace(ground, lease_s=60)) as house:
        callers = house.callers()
        before = writer_of(house)
        assert await callers.ask("before", [member_id(1)]) is Said.ACCEPTED
        await say_its_lease_has_run_out(house.runtime.mongo, before)
        while house.application.relay.adopted_total == 0:
            await asyncio.sleep(0.05)
        assert await callers.ask("after", [member_id(1)]) is Said.ACCEPTED
        assert writer_of(house).id != before.id
        await drained(ground, before, within_s=10)
        await settle(ground, heard=heard_by([]), within_s=10)
    assert findings(await gather(ground, heard_by([]))) == []


async def test_a_log_that_was_called_drained_takes_nothing_more(ground: Ground) -> None:
    async with open_house(ground) as house:
        before = writer_of(house)
        await event_log.give_back(house.runtime.mongo, before, sent=0)
        assert await house.callers().ask("late", [member_id(1)]) is Said.ACCEPTED
        assert writer_of(house).id != before.id
    assert findings(await gather(ground, heard_by([]))) == []


async def test_a_log_given_back_with_events_unsent_is_for_whoever_looks_next(ground: Ground) -> None:
    mongo = Mongo(ground.mongo_url, ground.database)
    session = await mongo.start_session()
    left = await event_log.open_log(mongo, "leaving", session.session_id)
    await mongo["writers"].update_one({"_id": left.id}, {"$set": {"committed": 1}})
    await event_log.give_back(mongo, left, sent=0)
    adopted = await event_log.adopt_next(mongo, "next")
    assert adopted is not None and adopted.writer.id == left.id
    await event_log.give_back(mongo, adopted.writer, sent=1)
    assert await event_log.adopt_next(mongo, "another") is None
    await session.end_session()
    await mongo.close()


async def test_the_database_may_go_while_it_is_asked_what_failed(ground: Ground) -> None:
    """Who is answered late is answered right, and the next are served."""
    address = ground.mongo_url.removeprefix("mongodb://").partition("/")[0].partition(",")[0]
    host, _, port = address.partition(":")
    with lossy_proxy(host, int(port)) as proxy:
        async with open_house(replace(ground, mongo_url=proxy.url)) as house:
            callers = house.callers()
            await callers.ask("first", [member_id(1)])
            stale = Unit(house.runtime.mongo, house.runtime.system_context("test"))
            member = await members.load(stale, member_id(1))
            members.save(stale, member, member.toggle())
            await callers.ask("second", [member_id(1)])
            proxy.command, proxy.chance = b"find", 1.0
            answer = asyncio.create_task(house.application.committer.commit(stale.change))
            await asyncio.wait({answer}, timeout=1.5)
            assert not answer.done()
            proxy.chance = 0.0
            with pytest.raises(Conflict):
                await asyncio.wait_for(answer, 10)
            assert await callers.ask("third", [member_id(1)]) is Said.ACCEPTED
