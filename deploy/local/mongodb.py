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

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.child import NEVER, NotReady
from deploy.local.mongo_member import Document, MongoMember, client
from deploy.local.ports import LOOPBACK, free_ports, is_free
from deploy.local.programs import find_mongod
from deploy.local.refusals import CannotStart, PortTaken, Status, refuse

REPLICA_SET = "rs0"
CACHE_GB = 0.5
OPLOG_MB = 512
# Left in a data folder once its set is made: mongod begins anew, silently, where its own files were lost.
MADE = "concord-set-made"
# A transaction of a process that died keeps its locks no longer than this.
TRANSACTION_LIFETIME_S = 5
STEP_DOWN_MS = 500
PRIMARY_TIMEOUT_S = 30.0
PORT_TRIES_MAX = 5


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
        found = asked.running.wait_until(self._who_is_primary, timeout_s=PRIMARY_TIMEOUT_S)
        return self.members[found]

    def why_it_ended(self) -> CannotStart:
        gone = next((member for member in self.members if not member.alive), self.members[0])
        return gone.why_it_ended()

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
            if member.alive and member.hello().get("isWritablePrimary"):
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
    """See to it that the set knows who belongs to it, has a primary, and could lose it."""
    first = server.members[0]
    try:
        _tell_members(server)
        server.primary()
        # A member still copying can neither vote nor take over: losing the primary now would stop the set.
        first.running.wait_until(lambda: _all_in_place(server), timeout_s=PRIMARY_TIMEOUT_S)
    except (NotReady, PyMongoError) as late:
        raise first.why_it_did_not_start() from late
    (first.data_dir / MADE).touch()


def _tell_members(server: MongoServer) -> None:
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
                first.running.wait_until(lambda: _steps_up(asked), timeout_s=PRIMARY_TIMEOUT_S)
        elif [host["host"] for host in known["members"]] != [host["host"] for host in hosts]:
            moved = {**known, "members": hosts, "version": known["version"] + 1}
            asked.admin.command("replSetReconfig", moved, force=True)


def _steps_up(asked: MongoClient[Document]) -> bool | None:
    """A new set of several waits ten seconds before its first election, unless a member is told to begin."""
    try:
        asked.admin.command("replSetStepUp")
    except PyMongoError:
        return None  # It has not yet heard from the others.
    return True


def _all_in_place(server: MongoServer) -> bool | None:
    said = [member.hello() for member in server.members]
    return all(hello.get("isWritablePrimary") or hello.get("secondary") for hello in said) or None
