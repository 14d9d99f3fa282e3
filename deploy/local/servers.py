"""MongoDB and Kafka, started side by side and ended in order.

    servers = start_servers(data_dir, log_dir=logs, jars=jars)
    servers.mongo.url, servers.kafka.bootstrap
    servers.stop()

Everything here is plain blocking code that needs no event loop; from async code use asyncio.to_thread.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka import KafkaServer, start_kafka
from deploy.local.mongodb import MongoMember, MongoServer, start_mongodb

__all__ = [
    "JARS",
    "KafkaServer",
    "MongoMember",
    "MongoServer",
    "Servers",
    "start_kafka",
    "start_mongodb",
    "start_servers",
]

ROOT = Path(__file__).resolve().parents[2]
# Shared by everything that runs from this folder: the jars never change under their hashes.
JARS = ROOT / ".concord" / "kafka" / "jars"
TEST_CACHE_GB = 0.25


@dataclass(frozen=True)
class Servers:
    """The pair the three services need."""

    mongo: MongoServer
    kafka: KafkaServer

    def stop(self) -> None:
        """Kafka first: what it still holds is in MongoDB as well, never the other way round."""
        with ExitStack() as always:
            always.callback(self.mongo.stop)
            always.callback(self.kafka.stop)

    def environment(self) -> dict[str, str]:
        """The settings by which the services find the pair."""
        return {"CONCORD_MONGO_URL": self.mongo.url, "CONCORD_KAFKA_URL": self.kafka.bootstrap}


def start_servers(
    data_dir: Path,
    *,
    log_dir: Path,
    jars: Path = JARS,
    mongo_port: int | None = None,
    kafka_port: int | None = None,
    cache_gb: float = TEST_CACHE_GB,
) -> Servers:
    """Start both; when one cannot, the other is ended and the reason is raised."""

    give_up = threading.Event()

    def mongodb() -> MongoServer:
        return start_mongodb(
            data_dir / "mongodb", log_dir=log_dir, port=mongo_port, cache_gb=cache_gb, give_up=give_up
        )

    def kafka() -> KafkaServer:
        return start_kafka(data_dir / "kafka", log_dir=log_dir, jars=jars, port=kafka_port, give_up=give_up)

    with ThreadPoolExecutor(max_workers=2) as threads:
        starting = (threads.submit(mongodb), threads.submit(kafka))
        try:
            for each in starting:
                if each.exception():
                    give_up.set()
        except BaseException:
            give_up.set()
            _undo(starting)
            raise
    if any(each.exception() for each in starting):
        _undo(starting)
    return Servers(mongo=starting[0].result(), kafka=starting[1].result())


def _undo(starting: tuple[Future[MongoServer], Future[KafkaServer]]) -> None:
    """End what did start; what did not has cleaned up after itself."""
    for each in starting:
        if each.exception() is None:
            each.result().stop()
