"""MongoDB and Kafka, started side by side and ended in order.

    servers = start_servers(data_dir, log_dir=logs, jars=jars)
    servers.mongo.url, servers.kafka.bootstrap
    servers.stop()

Everything here is plain blocking code that needs no event loop; from async code use asyncio.to_thread.
"""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from deploy.local.kafka import KafkaServer, start_kafka
from deploy.local.mongo_member import MongoMember
from deploy.local.mongodb import MongoServer, start_mongodb
from deploy.local.places import Places
from deploy.local.side_by_side import side_by_side

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

# Shared by everything that runs from this folder: the jars never change under their hashes.
JARS = Places().jars
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

    mongo: list[MongoServer] = []
    kafka: list[KafkaServer] = []

    def mongodb_starts(give_up: threading.Event) -> None:
        folder = data_dir / "mongodb"
        mongo.append(
            start_mongodb(folder, log_dir=log_dir, port=mongo_port, cache_gb=cache_gb, give_up=give_up)
        )

    def kafka_starts(give_up: threading.Event) -> None:
        folder = data_dir / "kafka"
        kafka.append(start_kafka(folder, log_dir=log_dir, jars=jars, port=kafka_port, give_up=give_up))

    try:
        side_by_side([mongodb_starts, kafka_starts])
    except BaseException:
        for broker in kafka:
            broker.stop()
        for database in mongo:
            database.stop()
        raise
    return Servers(mongo=mongo[0], kafka=kafka[0])
