"""What the benches share: servers, an aggregate, percentiles, memory, and how a row is told."""

import asyncio
import os
import resource
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

from shared.clock import SystemClock
from shared.ids import new_id
from shared.messaging import kafka, parked
from shared.messaging.relay import Relay
from shared.service import Runtime
from shared.storage import event_log, timers
from shared.storage.committer import Committer
from shared.storage.documents import create_indexes
from shared.storage.mongo import Mongo
from tests.support.writing import members

TOPIC = "concord.partners.v1"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `reach`: what the design asks for; `met` says whether it was."""

    what: str
    ours: str
    raw: str
    ratio: str
    reach: str
    met: bool
    memory: str

    def told(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Bench:
    """One process's committer and relay, on a database and topics of its own."""

    mongo: Mongo
    committer: Committer
    relay: Relay
    runtime: Runtime
    bootstrap: str
    prefix: str

    async def start(self) -> None:
        await self.committer.start()
        await self.relay.start()


@asynccontextmanager
async def opened(mongo_url: str, bootstrap: str) -> AsyncIterator[Bench]:
    name = new_id("b")[-10:].lower()
    mongo = Mongo(mongo_url, f"bench_{name}")
    await event_log.prepare(mongo)
    await create_indexes(mongo, [members.documents, timers.DOCUMENTS, parked.DOCUMENTS])
    prefix = f"bench-{name}."
    await kafka.ensure_topics(bootstrap, [prefix + TOPIC, prefix + "raw"], 1)
    relay = Relay(mongo, bootstrap, "bench", prefix)
    committer = Committer(mongo, "bench", relay.on_committed, relay.on_new_log)
    made = Bench(
        mongo, committer, relay, Runtime("partners", mongo, SystemClock(), committer), bootstrap, prefix
    )
    try:
        yield made
    finally:
        await committer.stop()
        await relay.stop()
        await mongo.client.drop_database(f"bench_{name}")
        await mongo.close()


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def resident_mb(pid: int | None = None) -> float:
    """What the process holds now."""
    with open(f"/proc/{pid or os.getpid()}/statm") as figures:  # noqa: PTH123
        return int(figures.read().split()[1]) * resource.getpagesize() / 1e6


class Stopwatch:
    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began


async def settle() -> None:
    """Let what the last measurement left behind come to rest."""
    await asyncio.sleep(1.0)
