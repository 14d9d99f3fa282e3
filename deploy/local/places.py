"""Where the local stack keeps its things, and what it last knew of itself. Standard library only.

Everything is under .concord beside the sources. local.json holds the addresses and processes of the last
start: a second start finds the first by it, and the next start takes the same ports again where they are
free. Whether a launcher runs now is told by a lock that the kernel takes back when its holder ends, never
by a number in a file.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Running:
    """A process of the stack. Its start, in ticks since boot, tells it from a stranger under its number."""

    name: str
    pid: int
    started_ticks: int
    port: int | None = None

    @property
    def alive(self) -> bool:
        return self.started_ticks != 0 and started_ticks(self.pid) == self.started_ticks


@dataclass(frozen=True)
class State:
    """What local.json holds."""

    launcher: Running | None = None
    url: str = ""
    processes: tuple[Running, ...] = ()

    def port_of(self, name: str) -> int | None:
        return next((each.port for each in self.processes if each.name == name), None)


@dataclass(frozen=True)
class Places:
    folder: Path = field(default=ROOT / ".concord")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def jars(self) -> Path:
        return self.folder / "kafka" / "jars"

    @property
    def state(self) -> Path:
        return self.folder / "local.json"

    def read_state(self) -> State:
        """What the last start wrote; nothing when it never did or was cut short."""
        try:
            text = json.loads(self.state.read_text())
            launcher = Running(**text["launcher"]) if text["launcher"] else None
            processes = tuple(Running(**each) for each in text["processes"])
            return State(launcher=launcher, url=text["url"], processes=processes)
        except (OSError, ValueError, KeyError, TypeError):
            return State()

    def write_state(self, state: State) -> None:
        unfinished = self.state.with_suffix(".new")
        unfinished.write_text(json.dumps(asdict(state), indent=2) + "\n")
        unfinished.replace(self.state)

    @contextmanager
    def only_launcher(self) -> Iterator[bool]:
        """Whether this process is the only launcher in the folder; it stays so until the block ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "launcher.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True


def running(name: str, pid: int, port: int | None = None) -> Running:
    return Running(name=name, pid=pid, started_ticks=started_ticks(pid), port=port)


def started_ticks(pid: int) -> int:
    """When the process started, or 0 when it is gone or only waits to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[19])
