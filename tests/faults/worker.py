"""Processes of the miniature service as the tests see them: started, killed, stopped in the middle, ended."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from shared.ids import new_id
from tests.faults import history
from tests.faults.process import Orders
from tests.local.waiting import wait_until

START_S = 40.0
STOP_S = 60.0
KILLED_AT_A_POINT = 137
LEASE_S = 3.0
ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Where the processes come from (see tests/faults/process.py)."""

    def __init__(self) -> None:
        self.ended: dict[int, int] = {}
        self._started: queue.Queue[int] = queue.Queue()
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            if "started" in told:
                self._started.put(told["started"])
            else:
                self.ended[told["ended"]] = told["status"]

    def start(self, orders: Orders) -> int:
        with self._one_at_a_time:
            self._tell({"start": orders.model_dump(mode="json")})
            return self._started.get(timeout=START_S)

    def signal(self, pid: int, number: signal.Signals) -> None:
        self._tell({"signal": [pid, int(number)]})

    def _tell(self, what: dict[str, object]) -> None:
        assert self._process.stdin is not None
        os.write(self._process.stdin.fileno(), json.dumps(what).encode() + b"\n")

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(STOP_S)
        self._listening.join(STOP_S)
        self._process.stdout.close()


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where a test's processes meet: servers, names of their own, a folder."""

    nursery: Nursery
    mongo_url: str
    kafka_url: str
    folder: Path
    name: str = field(default_factory=lambda: new_id("f")[-12:].lower())
    lease_s: float = LEASE_S
    processes: list["Process"] = field(default_factory=list)

    def end_what_is_left(self) -> None:
        """A test that failed half-way has stopped nothing; what it started would go on beside the others."""
        for process in self.processes:
            if process.alive:
                process.kill()

    @property
    def database(self) -> str:
        return f"{self.name}_trial"

    @property
    def topic_prefix(self) -> str:
        return f"{self.name}."

    @property
    def history(self) -> Path:
        return self.folder / "history"

    def environment(self, instance: str) -> dict[str, str]:
        return {
            "CONCORD_MONGO_URL": self.mongo_url,
            "CONCORD_KAFKA_URL": self.kafka_url,
            "CONCORD_KAFKA_INSTANCE": instance,
            "CONCORD_MONGO_DATABASE_PREFIX": self.name,
            "CONCORD_KAFKA_TOPIC_PREFIX": self.topic_prefix,
            "CONCORD_WRITER_LEASE_S": str(self.lease_s),
            "CONCORD_INTERNAL_KEY": "k" * 32,
        }


class Process:
    """One process. It keeps its place in the consumer groups, by its name, over a restart."""

    def __init__(self, ground: Ground, name: str, **orders: object) -> None:
        self.name = name
        self.log = ground.folder / f"log.{name}"
        self._nursery = ground.nursery
        run = f"{name}.{new_id('r')[-6:].lower()}"
        self._ready = ground.folder / f"ready.{run}"
        self._started_at: float | None = None
        fields = {
            "name": run,
            "history": ground.history,
            "ready": self._ready,
            "log": self.log,
            "environment": ground.environment(instance=name),
            **orders,
        }
        self._pid = self._nursery.start(Orders.model_validate(fields))
        ground.processes.append(self)

    @property
    def exit_status(self) -> int | None:
        return self._nursery.ended.get(self._pid)

    @property
    def alive(self) -> bool:
        return self.exit_status is None

    @property
    def died_at_a_point(self) -> bool:
        return self.exit_status == KILLED_AT_A_POINT

    @property
    def started(self) -> bool:
        return self._ready.exists()

    def has_lived(self, seconds: float) -> bool:
        """So long since it was ready."""
        if self._started_at is None and self.started:
            self._started_at = time.monotonic()
        return self._started_at is not None and time.monotonic() - self._started_at > seconds

    def wait_until_started(self) -> "Process":
        wait_until(
            lambda: self.started or not self.alive, timeout_s=START_S, what=f"the start of {self.name}"
        )
        assert self.started, self.end_of_log()
        return self

    def wait_for_death(self, timeout_s: float) -> None:
        wait_until(lambda: not self.alive, timeout_s=timeout_s, what=f"the death of {self.name}")

    def kill(self) -> None:
        self._nursery.signal(self._pid, signal.SIGKILL)
        self.wait_for_death(STOP_S)

    def pause(self) -> None:
        self._nursery.signal(self._pid, signal.SIGSTOP)

    def go_on(self) -> None:
        self._nursery.signal(self._pid, signal.SIGCONT)

    def ask_to_end(self) -> None:
        self._nursery.signal(self._pid, signal.SIGTERM)

    def stop(self) -> None:
        """In order, and it must be in order: a process that has to be killed has not stopped in time."""
        self.ask_to_end()
        try:
            self.wait_for_death(STOP_S)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.end_of_log()}") from late
        assert self.exit_status == 0, f"{self.name}: {self.exit_status}\n{self.end_of_log()}"

    def end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-12_000:] if self.log.exists() else ""


def commands_of(ground: Ground) -> dict[str, history.Command]:
    return history.commands(history.read(ground.history))
