"""What a committer makes of a database that breaks off in the middle: an effect once, or an answer that says
so.

The server is one of its own, which can be told to fail.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.mongodb import MongoServer, start_mongodb
from deploy.local.servers import TEST_CACHE_GB
from shared.errors import Unavailable
from shared.ids import new_id
from shared.storage.change import Change
from shared.storage.committer import write_alone
from shared.storage.mongo import Driver, Mongo
from tests.support.road import until
from tests.support.writing import Writing, open_writing

pytestmark = pytest.mark.asyncio(loop_scope="session")

INTERRUPTED = 11601
UNSATISFIABLE = 100


@pytest.fixture(scope="module")
def failing_server() -> Iterator[MongoServer]:
    with tempfile.TemporaryDirectory(prefix="concord-test-failing-") as folder:
        place = Path(folder)
        parameters = {"enableTestCommands": "1"}
        server = start_mongodb(
            place / "data", log_dir=place / "log", cache_gb=TEST_CACHE_GB, parameters=parameters
        )
        try:
            yield server
        finally:
            server.stop()


@pytest_asyncio.fixture
async def writing(failing_server: MongoServer, driver: Driver) -> AsyncIterator[Writing]:
    name = f"outcome_{new_id('t')[-12:].lower()}"
    async with open_writing(failing_server.url, name, driver) as opened:
        yield opened


async def fail(mongo: Mongo, commands: list[str], times: int = 1, **how: Any) -> None:
    """The next of these commands fail as said."""
    await mongo.client.admin.command(
        {
            "configureFailPoint": "failCommand",
            "mode": {"times": times},
            "data": {"failCommands": commands, **how},
        }
    )


def write_concern(code: int) -> dict[str, Any]:
    """The command is carried out, and then the waiting for a majority breaks off."""
    return {"writeConcernError": {"code": code, "errmsg": "as the test says"}}


HUNG_UP: dict[str, Any] = {"closeConnection": True}
LABELLED: dict[str, Any] = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}
WRITE_CONFLICT: dict[str, Any] = {"errorCode": 112, "errorLabels": ["TransientTransactionError"]}


@pytest.mark.parametrize(
    ("commands", "how"),
    [
        (["findAndModify"], HUNG_UP),
        (["update"], HUNG_UP),
        (["insert"], HUNG_UP),
        (["commitTransaction"], HUNG_UP),
        (["findAndModify"], LABELLED),
        (["update"], LABELLED),
        (["insert"], WRITE_CONFLICT),
        (["commitTransaction"], LABELLED),
        (["commitTransaction"], write_concern(INTERRUPTED)),
        (["commitTransaction"], write_concern(UNSATISFIABLE)),
        (["commitTransaction"], {"errorCode": INTERRUPTED}),
    ],
    ids=str,
)
async def test_what_breaks_off_in_the_middle_has_its_effect_once(
    writing: Writing, commands: list[str], how: dict[str, Any]
) -> None:
    member = await writing.register()
    await fail(writing.mongo, commands, **how)
    await writing.toggle(member.id)
    stored = await writing.stored(member.id)
    assert (stored["version"], stored["state"]["suspensions"]) == (2, 1)


@pytest.mark.parametrize("how", [HUNG_UP, LABELLED, write_concern(INTERRUPTED)], ids=str)
async def test_a_change_without_events_that_breaks_off_is_written_or_said_not_to_be(
    writing: Writing, how: dict[str, Any]
) -> None:
    change = Change()
    change.insert("notes", {"_id": "a"})
    await fail(writing.mongo, ["commitTransaction"], **how)
    outcome = await asyncio.gather(write_alone(writing.mongo, change), return_exceptions=True)
    assert await writing.mongo["notes"].count_documents({}) == (outcome[0] is None)


async def in_hand(writing: Writing) -> bool:
    return len(writing.committer._group) == len(writing.committer._queue) == 1


async def test_stopping_while_the_database_is_away_takes_no_longer_than_it_may(
    failing_server: MongoServer, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.storage.committer.STOP_S", 1.0)
    name = f"outcome_{new_id('t')[-12:].lower()}"
    async with open_writing(failing_server.url, name, driver) as writing:
        member = await writing.register()
        await fail(writing.mongo, ["commitTransaction"], times=10_000, closeConnection=True)
        waiting = asyncio.gather(writing.toggle(member.id), writing.register(), return_exceptions=True)
        await until(lambda: in_hand(writing))
        await asyncio.wait_for(writing.committer.stop(), 5)
        for answer in await asyncio.wait_for(waiting, 5):
            assert isinstance(answer, Unavailable)
            assert answer.code == "outcome_unknown"
        await writing.mongo.client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
