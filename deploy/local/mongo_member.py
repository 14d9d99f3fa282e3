"""One mongod of a set. It keeps its port and its data over a restart, and knows a stranger on its port."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.child import NEVER, Child, NotReady
from deploy.local.ports import LOOPBACK, listens
from deploy.local.refusals import CannotStart, PortTaken, explain, explain_end, explain_os_error

START_TIMEOUT_S = 60.0
DYING_S = 5.0
ASK_TIMEOUT_MS = 1_000
_NOT_INITIATED = 94

Document = dict[str, Any]


class MongoMember:
    """One mongod. It keeps its port and its data over a restart."""

    def __init__(self, command: Sequence[str], *, port: int, data_dir: Path, log: Path) -> None:
        self.port, self.data_dir, self.log = port, data_dir, log
        self._command = [*command, "--port", str(port), "--dbpath", str(data_dir)]
        self._child: Child | None = None

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """To speak with this member alone, whatever its part in the set."""
        return f"mongodb://{self.address}/?directConnection=true"

    @property
    def running(self) -> Child:
        if self._child is None:
            raise RuntimeError("this member was never started")
        return self._child

    @property
    def pid(self) -> int:
        return self.running.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    def start_again(self, *, give_up: threading.Event = NEVER) -> None:
        """Start, or start again after stop or kill; returns when this very process answers."""
        if self.alive:
            return
        self._child = self._launch()
        try:
            self._child.wait_until(self._answers, timeout_s=START_TIMEOUT_S, give_up=give_up)
        except NotReady:
            raise self.why_it_did_not_start() from None

    def hello(self) -> Document:
        """What it says of itself and its set; nothing while it does not answer or belongs to none."""
        try:
            with client(self.url) as asked:
                return dict(asked.admin.command("hello"))
        except OperationFailure as refused:
            if refused.code == _NOT_INITIATED:
                return {}
            raise
        except PyMongoError:
            return {}

    def why_it_did_not_start(self) -> CannotStart | PortTaken:
        """One that is dying closes its connections before it has written its last words."""
        with suppress(NotReady):
            self.running.wait_for_end(timeout_s=DYING_S)
        log_text = self.running.log_of_this_start()
        return explain("MongoDB", log_text, log=self.log, data_dir=self.data_dir)

    def why_it_ended(self) -> CannotStart:
        log_text = self.running.log_of_this_start()
        return explain_end("MongoDB", log_text, log=self.log, data_dir=self.data_dir)

    def ask_to_end(self) -> None:
        if self._child is not None:
            self._child.ask_to_end()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """As a power cut would: SIGKILL."""
        if self._child is not None:
            self._child.kill()

    def _launch(self) -> Child:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            return Child("MongoDB", self._command, log=self.log)
        except OSError as refused:
            raise explain_os_error("MongoDB", refused, log=self.log, data_dir=self.data_dir) from refused

    def _answers(self) -> bool | None:
        if not listens(self.port):
            return None  # A driver would look for half a second; this is soon done.
        try:
            with client(self.url) as asked:
                answering_pid = asked.admin.command("serverStatus")["pid"]
        except PyMongoError:
            return None
        if answering_pid != self.pid:
            raise PortTaken(f"another MongoDB answers on port {self.port}")
        return True


def client(url: str) -> MongoClient[Document]:
    """A client that gives up soon: the launcher asks again anyway."""
    return MongoClient(url, serverSelectionTimeoutMS=ASK_TIMEOUT_MS, connectTimeoutMS=ASK_TIMEOUT_MS)
