"""Processes of the miniature service, to be killed: the application as it runs, with callers inside.

`python -m tests.faults.process` imports everything once, which is most of the price of a start, and then
forks a process for each line it reads: `start` with orders, `signal` with a process and a number. It answers
with the number of each process and, later, how it ended. When its input ends it kills them all, so nothing
outlives the test that started it.
"""

import asyncio
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvloop
from pydantic import BaseModel, ConfigDict

from shared import fault
from shared.application import Application
from shared.messaging import view_follower
from shared.service import Room, Runtime
from shared.settings import Settings
from shared.telemetry import configure_logging
from tests.faults import trial
from tests.faults.commands import Callers, Load
from tests.faults.history import History

REAP_EVERY_S = 0.02
STOP_S_MAX = 45.0


class Orders(BaseModel):
    """What one process is to do. `ready` is touched once it has started."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    history: Path
    ready: Path
    log: Path
    environment: Mapping[str, str]
    faults: str = ""
    seed: int = 0
    members: int = 50
    rate: float = 20.0
    callers: int = 8
    commands_max: int = 1_000_000
    listens: bool = True
    # Rebuild the view once, by so many records at a time; 0: do not.
    rebuild_records: int = 0

    @property
    def load(self) -> Load:
        return Load(
            name=self.name,
            seed=self.seed,
            members=self.members,
            rate=self.rate,
            callers=self.callers,
            commands_max=self.commands_max,
        )


async def run(orders: Orders) -> None:
    """The service until SIGTERM, then its end in order."""
    settings = Settings()
    configure_logging(settings)
    history = History(orders.history)

    def build(runtime: Runtime, _: object) -> tuple[Room, ...]:
        callers = Callers(runtime, history, orders.load)
        return (trial.room(callers.worker, listens=orders.listens),)

    application = Application(trial.SERVICE, settings, build)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await application.start()
    orders.ready.touch()
    if orders.rebuild_records:
        view_follower.RECORDS_MAX = orders.rebuild_records
        await application.follower(trial.MEMBERS_VIEW).rebuild()
    await ended.wait()
    stopping = asyncio.create_task(application.stop())
    if (await asyncio.wait({stopping}, timeout=STOP_S_MAX))[1]:
        for task in asyncio.all_tasks():
            task.print_stack(file=sys.stderr)
        raise TimeoutError("the application did not stop")
    await stopping


def become(orders: Orders) -> None:
    """The rest of this process's life."""
    log = os.open(orders.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    silence = os.open(os.devnull, os.O_RDONLY)
    for kept, replacement in ((0, silence), (1, log), (2, log)):
        os.dup2(replacement, kept)
    os.environ.update(orders.environment)
    fault.arm(orders.faults)
    uvloop.run(run(orders))


def obey(line: bytes) -> None:
    asked: dict[str, Any] = json.loads(line)
    if "signal" in asked:
        pid, number = asked["signal"]
        # Its own child, and not yet reaped: the number can be nobody else's.
        if pid in children:
            os.kill(pid, number)
        return
    orders = Orders.model_validate(asked["start"])
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            become(orders)
            status = 0
        except BaseException:
            traceback.print_exc()  # The exit below would not let anybody hear of it.
        finally:
            sys.stderr.flush()
            os._exit(status)
    children.add(pid)
    print(json.dumps({"started": pid}), flush=True)


def reap() -> None:
    for pid in list(children):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            children.discard(pid)
            print(json.dumps({"ended": pid, "status": os.waitstatus_to_exitcode(status)}), flush=True)


def main() -> None:
    left = b""
    while True:
        ready, _, _ = select.select([0], [], [], REAP_EVERY_S)
        if ready:
            received = os.read(0, 65_536)
            if not received:
                break
            *lines, left = (left + received).split(b"\n")
            for line in lines:
                obey(line)
        reap()
    for pid in children:
        os.kill(pid, signal.SIGKILL)


children: set[int] = set()

if __name__ == "__main__":
    main()
