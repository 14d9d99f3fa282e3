"""What a service says of itself to whoever decides over restarting it and sending it requests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr

from shared.application import Application
from shared.http.directory_projection import projected_directory
from shared.http.server import OneOrigin, Served
from shared.ids import new_id
from shared.settings import Settings
from tests.support.road import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture
async def served(mongo_url: str, kafka_bootstrap: str) -> AsyncIterator[Served]:
    """A whole service without rooms."""
    name = new_id("t")[-12:].lower()
    settings = Settings(
        mongo_url=mongo_url,
        mongo_database_prefix=f"health_{name}",
        kafka_url=kafka_bootstrap,
        kafka_topic_prefix=f"{name}.",
        internal_key=SecretStr("what the services show each other"),
    )
    application = Application("partners", settings, lambda runtime, settings: ())
    served = Served(application, projected_directory(application.runtime, settings), settings)
    await served.start()
    try:
        yield served
    finally:
        await served.stop()
        cleaner = Application("partners", settings, lambda runtime, settings: ())
        await cleaner.mongo.client.drop_database(cleaner.mongo.database.name)
        await cleaner.mongo.close()


async def probe(served: Served, path: str) -> tuple[int, str]:
    transport = httpx2.ASGITransport(OneOrigin([served], "partners"))
    async with httpx2.AsyncClient(transport=transport, base_url="http://concord") as client:
        answer = await client.get(path)
    return answer.status_code, "; ".join(part["detail"] for part in answer.json() if not part["ok"])


async def test_a_service_that_works_is_alive_and_ready(served: Served) -> None:
    async def ready() -> bool:
        return (await probe(served, "/readyz"))[0] == 200

    await until(ready)
    for path in ("/livez", "/partners/livez", "/startupz"):
        assert await probe(served, path) == (200, "")


def committer(application: Application) -> Any:
    return application.committer._task


def deadlines(application: Application) -> Any:
    return next(task for task in application._tasks if task.get_name() == "partners-timers")


def adopting(application: Application) -> Any:
    return application.relay._adopting


@pytest.mark.parametrize("part", [committer, deadlines, adopting])
async def test_a_service_of_which_a_part_has_ended_asks_to_be_restarted(
    served: Served, part: Callable[[Application], Any]
) -> None:
    task: asyncio.Task[None] = part(served.application)
    task.cancel()
    await asyncio.wait([task])
    for path in ("/livez", "/partners/livez", "/readyz"):
        status, detail = await probe(served, path)
        assert status == 503
        assert "has ended" in detail


async def test_a_service_that_is_asked_to_stop_is_not_called_dead(served: Served) -> None:
    served.health.stopping()
    await served.stop()
    assert (await probe(served, "/livez"))[0] == 200
    assert (await probe(served, "/readyz"))[0] == 503


async def test_figures_say_how_old_what_waits_is(served: Served) -> None:
    async def told() -> bool:
        transport = httpx2.ASGITransport(served.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://concord") as client:
            figures = (await client.get("/partners/metrics")).text
        names = ("relay_behind_s", "relay_behind_events", "timers_overdue_s", "ack_failures_total")
        return all(f"\n{name} 0.0" in figures for name in names)

    await until(told)
