"""A process that the launcher starts, watches and ends; it never outlives the launcher (see guard.py)."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

GRACE_S = 20.0
POLL_S = 0.02
LOG_BYTES_MAX = 20_000_000
LOG_TAIL_BYTES = 64_000
_GUARD = Path(__file__).with_name("guard.py")

Answer = TypeVar("Answer")
NEVER = threading.Event()


class NotReady(Exception):
    """The process ended, or said nothing in time, before it was ready."""


class GivenUp(Exception):
    """The start was called off while a thread was waiting for this process."""


class Child:
    """One process with its log. Signals of the terminal do not reach it: the launcher ends it in order."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.name, self.log, self._grace_s = name, log, grace_s
        lifeline, self._lifeline = os.pipe()
        guard = [sys.executable, "-I", "-S", str(_GUARD), str(lifeline), str(grace_s)]
        try:
            with open_log(log) as output:
                self._log_start = output.tell()
                self._process = subprocess.Popen(
                    [*guard, *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=None if env is None else {**os.environ, **env},
                    cwd=cwd,
                    pass_fds=[lifeline],
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        return self._process.poll()

    def ask_to_end(self) -> None:
        """Send the request and do not wait."""
        if self.alive:
            self._process.terminate()

    def stop(self) -> None:
        """End it in order; kill it if it does not hear. Doing it twice changes nothing."""
        self.ask_to_end()
        try:
            self._process.wait(self._grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._let_go()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.alive:
            self._process.send_signal(signal.SIGKILL)
        self._let_go()

    def wait_until(
        self, ready: Callable[[], Answer | None], *, timeout_s: float, give_up: threading.Event = NEVER
    ) -> Answer:
        """The first answer that is not None; NotReady if the process ends or the time is over before."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if not self.alive:
                raise NotReady(f"{self.name} ended with status {self.exit_status}")
            if (answer := ready()) is not None:
                return answer
            if give_up.wait(POLL_S):
                raise GivenUp(self.name)
        raise NotReady(f"{self.name} was not ready after {timeout_s:.0f} s")

    def wait_for_end(self, *, timeout_s: float, give_up: threading.Event = NEVER) -> int:
        """The exit status of a tool that ends by itself; it is killed when it does not."""
        end = time.monotonic() + timeout_s
        try:
            while self.alive:
                if time.monotonic() > end:
                    raise NotReady(f"{self.name} had not ended after {timeout_s:.0f} s")
                if give_up.wait(POLL_S):
                    raise GivenUp(self.name)
            return self._process.wait()
        finally:
            self.kill()

    def log_of_this_start(self) -> str:
        """What it wrote since it was started: the end of it, where that is long."""
        try:
            with self.log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(self._log_start, size - LOG_TAIL_BYTES))
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _let_go(self) -> None:
        self._process.wait()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1


def open_log(log: Path) -> IO[bytes]:
    """Append to a log; one that has grown large is kept as .1 and begun anew."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_BYTES_MAX:
        log.replace(log.with_name(log.name + ".1"))
    output = log.open("ab")
    output.seek(0, os.SEEK_END)
    return output
