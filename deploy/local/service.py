"""A child that serves HTTP: the application, or the demo's sign-in. It is ready when it says so."""

import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.child import NEVER, Child, NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.refusals import PORT_SIGN, CannotStart, PortTaken, Status, last_error

READY_TIMEOUT_S = 90.0
ASK_TIMEOUT_S = 2.0
OK = 200


class Service:
    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        port: int,
        ready_path: str,
        log: Path,
        cwd: Path,
        env: Mapping[str, str],
    ) -> None:
        self.name, self.port, self.log = name, port, log
        self.url = f"http://{LOOPBACK}:{port}"
        self._ready_url = self.url + ready_path
        self._last_answer = "it did not answer"
        self.child = Child(name, command, log=log, env=env, cwd=cwd)

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def alive(self) -> bool:
        return self.child.alive

    def stop(self) -> None:
        self.child.stop()

    def why_it_ended(self) -> CannotStart:
        words = last_error(self.child.log_of_this_start())
        message = f"{self.name} ended with status {self.child.exit_status} ({words})"
        return CannotStart(Status.ENDED, message, what_to_do=f"See {self.log}")

    def wait_until_ready(self, *, give_up: threading.Event = NEVER) -> None:
        try:
            self.child.wait_until(self._ready, timeout_s=READY_TIMEOUT_S, give_up=give_up)
        except NotReady as late:
            said = self.child.log_of_this_start()
            if PORT_SIGN.lower() in said.lower():
                raise PortTaken(self.name) from late
            words = last_error(said) if not self.child.alive else self._last_answer
            raise CannotStart(Status.ENDED, f"{late}: {words}", what_to_do=f"See {self.log}") from late

    def _ready(self) -> bool | None:
        try:
            with _without_proxy.open(self._ready_url, timeout=ASK_TIMEOUT_S) as answer:
                return True if answer.status == OK else None
        except urllib.error.HTTPError as refused:
            with refused:
                self._last_answer = refused.read(500).decode(errors="replace")
            return None
        except OSError:
            return None


# The settings of a proxy are for the world outside, and loopback is not in it.
_without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
