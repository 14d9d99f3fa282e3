"""One real MongoDB and one real Kafka a test run, started when the first test asks for them."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.local.servers import JARS, TEST_CACHE_GB, start_kafka, start_mongodb

# How long one example takes says more of the machine than of the rule it tries.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def mongo_url() -> Iterator[str]:
    """A replica set: CONCORD_MONGO_URL when it is set, else one of our own that leaves nothing behind."""
    if url := os.environ.get("CONCORD_MONGO_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="concord-test-mongodb-") as folder:
        server = start_mongodb(Path(folder) / "data", log_dir=Path(folder) / "log", cache_gb=TEST_CACHE_GB)
        try:
            yield server.url
        finally:
            server.stop()


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """A broker: CONCORD_KAFKA_URL when it is set, else one of our own that leaves nothing behind."""
    if bootstrap := os.environ.get("CONCORD_KAFKA_URL"):
        yield bootstrap
        return
    with tempfile.TemporaryDirectory(prefix="concord-test-kafka-") as folder:
        server = start_kafka(Path(folder) / "data", log_dir=Path(folder) / "log", jars=JARS)
        try:
            yield server.bootstrap
        finally:
            server.stop()
