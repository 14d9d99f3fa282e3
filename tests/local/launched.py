"""A launcher in a process of its own, as `make run` has it, and what a person at its terminal sees."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.places import Places, State
from tests.local.waiting import is_running, own_environment, wait_until

START_S = 60.0
END_S = 40.0
ROOT = Path(__file__).resolve().parents[2]
READY = "Concord is ready"


class Launched:
    """`before` is put before the command, for a launcher in other circumstances."""

    def __init__(
        self, folder: Path, *, before: Sequence[str] = (), application: str = "stand-in", **settings: str
    ) -> None:
        self.places = Places(folder)
        self.folder = folder
        self._screen = folder.with_name(f"{folder.name}.screen.{os.urandom(4).hex()}")
        command = [*before, sys.executable, "-m", "tests.local.launch", str(folder), application]
        with self._screen.open("wb") as screen:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                env=own_environment(**settings),
                cwd=ROOT,
            )

    @property
    def screen(self) -> str:
        return self._screen.read_text()

    @property
    def state(self) -> State:
        return self.places.read_state()

    def wait_until_ready(self) -> None:
        self.wait_until_it_says(READY)

    def wait_until_it_says(self, words: str) -> None:
        wait_until(
            lambda: words in self.screen or self.process.poll() is not None,
            timeout_s=START_S,
            what=f"{words!r} on the screen",
        )
        assert words in self.screen, self.screen

    def send(self, which: signal.Signals) -> None:
        self.process.send_signal(which)

    def status(self) -> int:
        """The exit status, once it has ended."""
        return self.process.wait(END_S)

    def end(self) -> None:
        """For the end of a test, however it went."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(END_S)

    def wait_until_nothing_is_left(self) -> None:
        wait_until(lambda: not processes_of(self.folder), timeout_s=END_S, what="the end of every process")

    def settings_of_the_application(self) -> dict[str, str]:
        first_line = (self.places.log / "application.log").read_text().splitlines()[-1]
        return {str(name): str(value) for name, value in json.loads(first_line).items()}


def processes_of(folder: Path) -> list[int]:
    """Every process that was started for a folder, by its command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # It ended between the two lines.
        if f"{folder}/" in command and is_running(int(entry.name)):
            found.append(int(entry.name))
    return found
