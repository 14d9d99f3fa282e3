"""F2: a minute without Kafka, or five, with a process that boots in the middle of it.

The outage needs time and little else, so it runs in a thread of its own beside the other tests; its test
comes last and looks at what it left.
"""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from deploy.local.servers import JARS, start_kafka
from tests.faults.evidence import Evidence, gather
from tests.faults.history import Command, Said
from tests.faults.scale import scale
from tests.faults.settling import settle
from tests.faults.worker import Ground, Nursery, Process, commands_of

BEFORE_S = scale(8.0, 20.0)
OUTAGE_S = scale(60.0, 300.0)
DRAIN_S = 60.0
COMMANDS_PER_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Outage:
    """What became of it. `before` and `during` are the commands that were asked for in those times."""

    before: Sequence[Command]
    during: Sequence[Command]
    of_the_late_one: Sequence[Command]
    evidence: Evidence


def begin(nursery: Nursery, mongo_url: str, folder: Path) -> "Future[Outage]":
    outcome: Future[Outage] = Future()

    def run() -> None:
        try:
            outcome.set_result(_outage(nursery, mongo_url, folder))
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, name="outage").start()
    return outcome


def _outage(nursery: Nursery, mongo_url: str, folder: Path) -> Outage:
    kafka = start_kafka(folder / "kafka", log_dir=folder / "log", jars=JARS)
    try:
        ground = Ground(nursery=nursery, mongo_url=mongo_url, kafka_url=kafka.bootstrap, folder=folder)
        pair = [Process(ground, name, rate=COMMANDS_PER_S / 2) for name in ("a", "b")]
        for process in pair:
            process.wait_until_started()
        begun_at = time.monotonic()
        time.sleep(BEFORE_S)
        kafka.kill()
        lost_at = time.monotonic()
        time.sleep(OUTAGE_S / 2)
        late = Process(ground, "c", rate=COMMANDS_PER_S / 2).wait_until_started()
        time.sleep(max(0.0, lost_at + OUTAGE_S - time.monotonic()))
        kafka.start_again()
        back_at = time.monotonic()
        return Outage(
            before=_asked_between(ground, begun_at, lost_at),
            during=_asked_between(ground, lost_at, back_at),
            of_the_late_one=[c for op, c in commands_of(ground).items() if op.startswith("c.")],
            evidence=_end(ground, [*pair, late]),
        )
    finally:
        kafka.stop()


def _asked_between(ground: Ground, begun_at: float, ended_at: float) -> list[Command]:
    return [command for command in commands_of(ground).values() if begun_at <= command.asked_at < ended_at]


def _end(ground: Ground, processes: Sequence[Process]) -> Evidence:
    """The callers go on while the backlog drains; then nothing more is asked for, and all comes to rest."""
    for process in processes:
        process.stop()
    quiet = [Process(ground, process.name, rate=0) for process in processes]
    asyncio.run(settle(ground, within_s=DRAIN_S))
    for process in quiet:
        process.stop()
    return asyncio.run(gather(ground))


def durations(commands: Sequence[Command]) -> list[float]:
    return sorted(
        command.answered_at - command.asked_at for command in commands if command.outcome is Said.ACCEPTED
    )
