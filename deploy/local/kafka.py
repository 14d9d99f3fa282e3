"""A real Apache Kafka on loopback: one node that is both broker and controller.

In order: fetch the jars once (jars.py), write server.properties, format the data folder once under a
cluster id of our own, start the broker, and wait until a broker of that very cluster answers.
"""

import socket
import struct
import threading
from collections.abc import Sequence
from pathlib import Path

from deploy.local.child import GRACE_S, NEVER, Child, NotReady
from deploy.local.jars import jars_folder
from deploy.local.kafka_folder import KafkaFolder
from deploy.local.ports import LOOPBACK, free_ports, is_free
from deploy.local.programs import find_java
from deploy.local.refusals import CannotStart, PortTaken, Status, explain_end

HEAP_MB = 512
START_TIMEOUT_S = 60.0
ASK_TIMEOUT_S = 2.0
PORT_TRIES_MAX = 5
_SOURCES = Path(__file__).with_name("kafka")
_METADATA_REQUEST, _METADATA_VERSION = 3, 2


class KafkaServer:
    """One broker. It keeps its port and its data over a restart."""

    name = "Kafka"

    def __init__(
        self,
        *,
        port: int,
        controller_port: int,
        data_dir: Path,
        log: Path,
        jars: Path,
        options: Sequence[str] = (),
        grace_s: float = GRACE_S,
    ) -> None:
        self.port, self.data_dir, self.log = port, data_dir, log
        self._controller_port, self._jars = controller_port, jars
        self._options, self._grace_s = options, grace_s
        self._folder = KafkaFolder(data_dir, log=log)
        self._child: Child | None = None
        self.cluster_id = ""

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("this broker was never started")
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    def why_it_ended(self) -> CannotStart:
        log_text = self._child.log_of_this_start() if self._child else ""
        return explain_end(self.name, log_text, log=self.log, data_dir=self.data_dir)

    def start_again(self, *, give_up: threading.Event = NEVER) -> None:
        """Start, or start again after stop or kill; returns when a broker of this very cluster answers."""
        if self.alive:
            return
        java = _java(self._jars)
        controller = f"{LOOPBACK}:{self._controller_port}"
        self.cluster_id = self._folder.prepare(
            java, broker=self.bootstrap, controller=controller, give_up=give_up
        )
        options = [f"-Xmx{HEAP_MB}m", "-XX:+UseSerialGC", *self._options]
        command = [*java, *options, "kafka.Kafka", str(self._folder.settings)]
        self._child = Child("Kafka", command, log=self.log, cwd=self.data_dir, grace_s=self._grace_s)
        try:
            self._child.wait_until(self._answers, timeout_s=START_TIMEOUT_S, give_up=give_up)
        except NotReady:
            self.kill()
            raise self._folder.explained(self._child.log_of_this_start()) from None

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def kill(self) -> None:
        """As a power cut would: SIGKILL."""
        if self._child is not None:
            self._child.kill()

    def _answers(self) -> bool | None:
        answering = _cluster_of(self.port)
        if answering is None:
            return None
        if answering != self.cluster_id:
            raise PortTaken(f"another Kafka answers on port {self.port}")
        return True


def start_kafka(
    data_dir: Path,
    *,
    log_dir: Path,
    jars: Path,
    port: int | None = None,
    give_up: threading.Event = NEVER,
) -> KafkaServer:
    """Start a broker and return when it answers. `port` is a wish: a port that is taken is replaced.

    `jars` is the folder the broker's jars are in, or are fetched into when it is not there.
    """
    jars_folder(jars, log_dir=log_dir, give_up=give_up)
    for _ in range(PORT_TRIES_MAX):
        chosen, controller_port = free_ports(2)
        if port is not None and is_free(port):
            chosen = port
        server = KafkaServer(
            port=chosen,
            controller_port=controller_port,
            data_dir=data_dir,
            log=log_dir / "kafka.log",
            jars=jars,
        )
        try:
            server.start_again(give_up=give_up)
        except PortTaken:
            server.kill()
            port = None
        except BaseException:
            server.kill()
            raise
        else:
            return server
    raise CannotStart(
        Status.TRY_AGAIN, f"Kafka lost {PORT_TRIES_MAX} free ports to others", what_to_do="Start again."
    )


def archive_of(jars: Path) -> Path:
    """Where class_archive.py puts what makes the broker start sooner."""
    return jars.with_name(f"{jars.name}.jsa")


def _java(jars: Path) -> list[str]:
    logging = f"-Dlog4j2.configurationFile={_SOURCES / 'log4j2.yaml'}"
    archive = [f"-XX:SharedArchiveFile={archive_of(jars)}"] if archive_of(jars).exists() else []
    return [str(find_java()), *archive, "-cp", str(jars / "*"), logging]


def _cluster_of(port: int) -> str | None:
    """The id of the cluster whose broker answers on a port, or None while none has a broker registered.

    The one question of Kafka's protocol the launcher needs; a client library would log every failed try.
    """
    header = struct.pack(">hhih", _METADATA_REQUEST, _METADATA_VERSION, 0, 0)
    request = header + struct.pack(">i", 0)
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ASK_TIMEOUT_S) as broker:
            broker.sendall(struct.pack(">i", len(request)) + request)
            (size,) = struct.unpack(">i", _read(broker, 4))
            return _parse_cluster(_read(broker, size))
    except OSError:
        return None


def _read(broker: socket.socket, size: int) -> bytes:
    read = bytearray()
    while len(read) < size:
        part = broker.recv(size - len(read))
        if not part:
            raise ConnectionError("the broker closed the connection")
        read += part
    return bytes(read)


def _parse_cluster(answer: bytes) -> str | None:
    """Out of a metadata response of version 2: correlation, brokers (node, host, port, rack), cluster id."""
    place = 4
    (brokers,) = struct.unpack_from(">i", answer, place)
    place += 4
    for _ in range(brokers):
        place += 4
        place = _text_end(answer, place) + 4
        place = _text_end(answer, place)
    end = _text_end(answer, place)
    return answer[place + 2 : end].decode() if brokers else None


def _text_end(answer: bytes, place: int) -> int:
    (length,) = struct.unpack_from(">h", answer, place)
    return int(place + 2 + max(length, 0))
