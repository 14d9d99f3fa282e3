"""A real MongoDB on loopback: one member as a rule, three where a test loses the primary.

In order: find the program, take free ports, start the members, say who belongs to the set, wait for a
primary. A data folder remembers the ports of its last start; when they have changed the set is told so,
because a member that does not find its own address in the set's configuration takes itself out of it.

What is not needed for correctness: keeping the same ports. It only makes the addresses in yesterday's notes
work.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.child import NEVER, Child, NotReady
from deploy.local.ports import LOOPBACK, free_ports, is_free, listens
from deploy.local.programs import find_mongod
from deploy.local.refusals import (
    CannotStart,
    PortTaken,
    Status,
    explain,
    explain_end,
    explain_os_error,
    refuse,
)

REPLICA_SET = "rs0"
CACHE_GB = 0.5
OPLOG_MB = 512
# Left in a data folder once its set is made: mongod begins anew, silently, where its own files were lost.
MADE = "concord-set-made"
# A transaction of a process that died keeps its locks no longer than this.
TRANSACTION_LIFETIME_S = 5
STEP_DOWN_MS = 500
START_TIMEOUT_S = 60.0
PRIMARY_TIMEOUT_S = 30.0
ASK_TIMEOUT_MS = 1_000
PORT_TRIES_MAX = 5
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
    def pid(self) -> int:
        return self._running.pid

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
            self.kill()
            raise explain(
                "MongoDB", self._child.log_of_this_start(), log=self.log, data_dir=self.data_dir
            ) from None

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

    @property
    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("this member was never started")
        return self._child


class MongoServer:
    """A replica set of one or more members."""

    name = "MongoDB"

    def __init__(self, members: Sequence[MongoMember]) -> None:
        self.members = list(members)

    @property
    def url(self) -> str:
        addresses = ",".join(member.address for member in self.members)
        return f"mongodb://{addresses}/?replicaSet={REPLICA_SET}"

    @property
    def port(self) -> int:
        return self.members[0].port

    @property
    def ports(self) -> list[int]:
        return [member.port for member in self.members]

    @property
    def pid(self) -> int:
        return self.members[0].pid

    @property
    def pids(self) -> list[int]:
        return [member.pid for member in self.members]

    @property
    def alive(self) -> bool:
        return all(member.alive for member in self.members)

    def member(self, number: int) -> MongoMember:
        return self.members[number]

    def primary(self) -> MongoMember:
        """Who is primary by its own word, once one is."""
        asked = self.members[0] if self.members[0].alive else next(m for m in self.members if m.alive)
        found = asked._running.wait_until(self._who_is_primary, timeout_s=PRIMARY_TIMEOUT_S)
        return self.members[found]

    def why_it_ended(self) -> CannotStart:
        gone = next((member for member in self.members if not member.alive), self.members[0])
        log_text = gone._running.log_of_this_start()
        return explain_end(self.name, log_text, log=gone.log, data_dir=gone.data_dir)

    def start_again(self) -> None:
        for member in self.members:
            member.start_again()
        self.primary()

    def stop(self) -> None:
        for member in self.members:
            member.ask_to_end()
        for member in self.members:
            member.stop()

    def kill(self) -> None:
        for member in self.members:
            member.kill()

    def _who_is_primary(self) -> int | None:
        for number, member in enumerate(self.members):
            if member.alive and _is_primary(member):
                return number
        return None


def start_mongodb(
    data_dir: Path,
    *,
    log_dir: Path,
    members: int = 1,
    port: int | None = None,
    cache_gb: float = CACHE_GB,
    parameters: Mapping[str, str] | None = None,
    give_up: threading.Event = NEVER,
) -> MongoServer:
    """Start a replica set, return when it has a primary. `port` is a wish: a port that is taken is replaced.

    `parameters` are further `--setParameter` values, such as enableTestCommands=1 for fail points.
    """
    command = _command(find_mongod(), cache_gb=cache_gb, parameters=parameters or {})
    for _ in range(PORT_TRIES_MAX):
        ports = _ports(members, port)
        server = MongoServer(_members(command, ports, data_dir=data_dir, log_dir=log_dir))
        try:
            for member in server.members:
                member.start_again(give_up=give_up)
            _agree_on_members(server)
        except PortTaken:
            server.kill()
            port = None
        except BaseException:
            server.kill()
            raise
        else:
            return server
    raise CannotStart(
        Status.TRY_AGAIN, f"MongoDB lost {PORT_TRIES_MAX} free ports to others", what_to_do="Start again."
    )


def client(url: str) -> MongoClient[Document]:
    """A client that gives up soon: the launcher asks again anyway."""
    return MongoClient(url, serverSelectionTimeoutMS=ASK_TIMEOUT_MS, connectTimeoutMS=ASK_TIMEOUT_MS)


def _command(program: Path, *, cache_gb: float, parameters: Mapping[str, str]) -> list[str]:
    settings = {
        "transactionLifetimeLimitSeconds": str(TRANSACTION_LIFETIME_S),
        "shutdownTimeoutMillisForSignaledShutdown": str(STEP_DOWN_MS),
        "diagnosticDataCollectionEnabled": "false",
        **parameters,
    }
    command = [str(program), "--replSet", REPLICA_SET, "--bind_ip", LOOPBACK, "--nounixsocket"]
    command += ["--wiredTigerCacheSizeGB", str(cache_gb), "--oplogSize", str(OPLOG_MB)]
    for name, value in settings.items():
        command += ["--setParameter", f"{name}={value}"]
    return command


def _ports(count: int, wished: int | None) -> list[int]:
    if wished is None or not is_free(wished):
        return free_ports(count)
    return [wished, *(port for port in free_ports(count) if port != wished)][:count]


def _members(
    command: Sequence[str], ports: Sequence[int], *, data_dir: Path, log_dir: Path
) -> list[MongoMember]:
    """One member lives in the data folder itself, several in a folder each."""
    if len(ports) == 1:
        return [MongoMember(command, port=ports[0], data_dir=data_dir, log=log_dir / "mongodb.log")]
    return [
        MongoMember(
            command, port=port, data_dir=data_dir / str(number), log=log_dir / f"mongodb.{number}.log"
        )
        for number, port in enumerate(ports)
    ]


def _agree_on_members(server: MongoServer) -> None:
    """Tell the set who belongs to it, unless it knows already, and wait for a primary."""
    first = server.members[0]
    hosts = [{"_id": number, "host": member.address} for number, member in enumerate(server.members)]
    with client(first.url) as asked:
        known = asked["local"]["system.replset"].find_one()
        if known is None and (first.data_dir / MADE).exists():
            words = "a set was made here and is gone"
            raise refuse("MongoDB", Status.DATA_DAMAGED, words, log=first.log, place=first.data_dir)
        if known is None:
            asked.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": hosts})
            if len(hosts) > 1:
                first._running.wait_until(lambda: _steps_up(asked), timeout_s=PRIMARY_TIMEOUT_S)
        elif [host["host"] for host in known["members"]] != [host["host"] for host in hosts]:
            moved = {**known, "members": hosts, "version": known["version"] + 1}
            asked.admin.command("replSetReconfig", moved, force=True)
    try:
        server.primary()
        # A member still copying can neither vote nor take over: losing the primary now would stop the set.
        first._running.wait_until(lambda: _all_in_place(server), timeout_s=PRIMARY_TIMEOUT_S)
    except NotReady:
        log_text = first._running.log_of_this_start()
        raise explain("MongoDB", log_text, log=first.log, data_dir=first.data_dir) from None
    (first.data_dir / MADE).touch()


def _steps_up(asked: MongoClient[Document]) -> bool | None:
    """A new set of several waits ten seconds before its first election, unless a member is told to begin."""
    try:
        asked.admin.command("replSetStepUp")
    except PyMongoError:
        return None  # It has not yet heard from the others.
    return True


def _all_in_place(server: MongoServer) -> bool | None:
    said = [_hello(member) for member in server.members]
    return all(hello.get("isWritablePrimary") or hello.get("secondary") for hello in said) or None


def _is_primary(member: MongoMember) -> bool:
    return bool(_hello(member).get("isWritablePrimary"))


def _hello(member: MongoMember) -> Document:
    try:
        with client(member.url) as asked:
            return dict(asked.admin.command("hello"))
    except OperationFailure as refused:
        if refused.code == _NOT_INITIATED:
            return {}
        raise
    except PyMongoError:
        return {}
