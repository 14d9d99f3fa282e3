"""MongoDB and Kafka as children of the launcher: they keep what they have, and nobody is taken for them."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient, WriteConcern

from deploy.local.jars import check
from deploy.local.kafka import archive_of
from deploy.local.kafka_folder import new_cluster_id
from deploy.local.mongo_member import Document
from deploy.local.ports import LOOPBACK, free_ports, is_free
from deploy.local.refusals import CannotStart, PortTaken, Status
from deploy.local.servers import (
    JARS,
    TEST_CACHE_GB,
    KafkaServer,
    MongoServer,
    start_kafka,
    start_mongodb,
    start_servers,
)

FAILOVER_S = 15


@pytest.fixture(scope="module")
def stopped_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folders of a pair that ran, was written to, and was stopped."""
    folder = tmp_path_factory.mktemp("pair")
    servers = start_servers(folder / "data", log_dir=folder / "log")
    try:
        write_document(servers.mongo, "kept")
        asyncio.run(write_message(servers.kafka, b"kept"))
    finally:
        servers.stop()
    return folder / "data"


@pytest.fixture(scope="module")
def set_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    folder = tmp_path_factory.mktemp("three")
    server = start_mongodb(folder / "data", log_dir=folder / "log", members=3, cache_gb=TEST_CACHE_GB)
    yield server
    server.stop()


def test_both_keep_their_data_when_they_come_back_on_other_ports(stopped_data: Path, tmp_path: Path) -> None:
    data = copy(stopped_data, tmp_path)
    servers = start_servers(data, log_dir=tmp_path / "log")
    try:
        assert documents(servers.mongo) == ["kept"]
        assert asyncio.run(messages(servers.kafka)) == [b"kept"]
    finally:
        servers.stop()


def test_kafka_comes_back_on_its_own_port_after_a_kill(stopped_data: Path, tmp_path: Path) -> None:
    data = copy(stopped_data, tmp_path)
    server = start_kafka(data / "kafka", log_dir=tmp_path / "log", jars=JARS)
    try:
        address, first_pid = server.bootstrap, server.pid
        server.kill()
        assert not server.alive
        server.start_again()
        assert server.bootstrap == address
        assert server.pid != first_pid
        assert asyncio.run(messages(server)) == [b"kept"]
    finally:
        server.stop()


def test_a_set_of_three_elects_another_primary_and_takes_the_lost_member_back(
    set_of_three: MongoServer,
) -> None:
    lost = set_of_three.primary()
    lost.kill()
    write_document(set_of_three, "while one was away")
    assert set_of_three.primary() is not lost
    port = lost.port
    lost.start_again()
    assert (lost.alive, lost.port) == (True, port)
    assert documents(set_of_three) == ["while one was away"]


def test_a_wished_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as stranger:
        taken = stranger.getsockname()[1]
        server = start_mongodb(tmp_path / "data", log_dir=tmp_path, port=taken, cache_gb=TEST_CACHE_GB)
        try:
            assert server.ports != [taken]
        finally:
            server.stop()


def test_a_strangers_mongodb_on_the_port_is_never_taken_for_ours(
    set_of_three: MongoServer, tmp_path: Path
) -> None:
    ours = start_mongodb(tmp_path / "data", log_dir=tmp_path, cache_gb=TEST_CACHE_GB)
    try:
        ours.member(0).port = set_of_three.member(1).port
        with pytest.raises(PortTaken):
            ours.member(0)._answers()
    finally:
        ours.stop()


def test_a_data_folder_in_use_is_refused_and_left_alone(tmp_path: Path) -> None:
    first = start_mongodb(tmp_path / "data", log_dir=tmp_path / "first", cache_gb=TEST_CACHE_GB)
    try:
        with pytest.raises(CannotStart) as refused:
            start_mongodb(tmp_path / "data", log_dir=tmp_path / "second", cache_gb=TEST_CACHE_GB)
        assert refused.value.status is Status.TRY_AGAIN
        assert first.alive
    finally:
        first.stop()


@pytest.mark.parametrize(
    "damaged", ["mongodb/WiredTiger.turtle", "mongodb/_mdb_catalog.wt", "mongodb/storage.bson"]
)
def test_a_damaged_mongodb_folder_is_named_and_not_touched(
    stopped_data: Path, tmp_path: Path, damaged: str
) -> None:
    data = copy(stopped_data, tmp_path)
    (data / damaged).write_bytes(b"\xde\xad" * 2_048)
    with pytest.raises(CannotStart, match="data folder is damaged") as refused:
        start_mongodb(data / "mongodb", log_dir=tmp_path / "log", cache_gb=TEST_CACHE_GB)
    assert refused.value.status is Status.DATA_DAMAGED
    assert (data / damaged).read_bytes() == b"\xde\xad" * 2_048


def test_a_mongodb_folder_that_lost_all_its_files_does_not_begin_anew(
    stopped_data: Path, tmp_path: Path
) -> None:
    data = copy(stopped_data, tmp_path)
    for lost in (data / "mongodb").iterdir():
        if lost.name != "concord-set-made":
            shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    with pytest.raises(CannotStart) as refused:
        start_mongodb(data / "mongodb", log_dir=tmp_path / "log", cache_gb=TEST_CACHE_GB)
    assert refused.value.status is Status.DATA_DAMAGED


@pytest.mark.parametrize(
    "damaged", ["meta.properties", "bootstrap.checkpoint", "__cluster_metadata-0/quorum-state"]
)
def test_a_damaged_kafka_folder_is_named_and_not_touched(
    stopped_data: Path, tmp_path: Path, damaged: str
) -> None:
    data = copy(stopped_data, tmp_path)
    hit = data / "kafka" / "log" / damaged
    hit.write_bytes(b"\xde\xad" * 2_048)
    with pytest.raises(CannotStart, match="data folder is damaged") as refused:
        start_kafka(data / "kafka", log_dir=tmp_path / "log", jars=JARS)
    assert refused.value.status is Status.DATA_DAMAGED
    assert hit.read_bytes() == b"\xde\xad" * 2_048


def test_a_file_where_the_data_folder_should_be_is_a_clear_message(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mongodb").write_text("not a folder")
    with pytest.raises(CannotStart, match="File exists"):
        start_servers(tmp_path / "data", log_dir=tmp_path / "log")


def test_a_class_archive_that_does_not_fit_is_no_obstacle(stopped_data: Path, tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.symlink_to(JARS)
    archive_of(jars).write_bytes(b"of another machine" * 1_000)
    server = start_kafka(copy(stopped_data, tmp_path) / "kafka", log_dir=tmp_path / "log", jars=jars)
    try:
        assert asyncio.run(messages(server)) == [b"kept"]
    finally:
        server.stop()


def test_jars_with_another_hash_are_not_used(tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "kafka_2.13-4.3.1.jar").write_bytes(b"not the broker")

    with pytest.raises(CannotStart, match=r"kafka_2\.13-4\.3\.1\.jar"):
        check(jars)


def test_no_cluster_id_looks_like_an_option_of_a_program() -> None:
    made = [new_cluster_id() for _ in range(1_000)]
    assert not [cluster_id for cluster_id in made if cluster_id.startswith("-")]
    assert {len(cluster_id) for cluster_id in made} == {22}


def test_ports_are_free_different_and_outside_the_range_of_outgoing_connections() -> None:
    first_of_kernel = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = free_ports(10)
    assert len(set(ports)) == 10
    assert all(is_free(port) for port in ports)
    assert first_of_kernel <= 20_200 or max(ports) < first_of_kernel


def copy(stopped_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stopped_data, tmp_path / "data"))


def write_document(server: MongoServer, text: str) -> None:
    with MongoClient[Document](server.url, serverSelectionTimeoutMS=FAILOVER_S * 1_000) as client:
        notes = client["stack"].get_collection("notes", write_concern=WriteConcern("majority"))
        notes.insert_one({"text": text})


def documents(server: MongoServer) -> list[str]:
    with MongoClient[Document](server.url) as client:
        return [note["text"] for note in client["stack"]["notes"].find()]


async def write_message(server: KafkaServer, body: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic("notes", 1, 1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=server.bootstrap, acks="all") as producer:
        await producer.send_and_wait("notes", body)


async def messages(server: KafkaServer) -> list[bytes]:
    reader = AIOKafkaConsumer("notes", bootstrap_servers=server.bootstrap, auto_offset_reset="earliest")
    async with reader:
        found = await asyncio.wait_for(reader.getone(), 20)
    return [found.value]
