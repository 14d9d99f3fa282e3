"""The faults of docs/reference/starting.md that need a damaged or a cramped machine, each provoked."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.mongo_member import Document
from deploy.local.mongodb import start_mongodb
from deploy.local.places import Places
from deploy.local.servers import TEST_CACHE_GB
from tests.local.launched import Launched
from tests.local.waiting import wait_until

DISK_MB = 60
FILE_BYTES_MAX = 1_000_000
FULL_S = 120.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator["SmallDisk"]:
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    if disk.launched is not None:
        disk.launched.end()


class SmallDisk:
    """A disk of 60 MB that only the launcher and its children see, and that ends with them.

    Where the kernel does not let this user mount one, a limit on the size of files takes its place: what the
    servers are refused is then the same write, for another reason.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.launched: Launched | None = None
        self.namespace = self._namespace()

    def launch(self, *, left_kb: int) -> Launched:
        self.folder.mkdir()
        if self.namespace is None:
            before = ["prlimit", f"--fsize={FILE_BYTES_MAX}"]
        else:
            fill = (
                f"head -c $(( {DISK_MB} * 1024 * 1024 - {left_kb} * 1024 )) /dev/zero > {self.folder}/other"
            )
            before = [*self.namespace, "sh", "-c", f'{self._mount()} && {fill} && exec "$@"', "sh"]
        self.launched = Launched(self.folder / "concord", before=before)
        self.launched.places = Places(self.seen_from_outside(self.launched.folder))
        return self.launched

    def seen_from_outside(self, path: Path) -> Path:
        assert self.launched is not None
        return Path(f"/proc/{self.launched.process.pid}/root") / path.relative_to("/")

    def _mount(self) -> str:
        return f"mount -t tmpfs -o size={DISK_MB}m tmpfs {self.folder}"

    def _namespace(self) -> list[str] | None:
        self.folder.mkdir()
        for options in ("--mount", "--mount --map-root-user"):
            namespace = ["unshare", *options.split()]
            tried = subprocess.run([*namespace, "sh", "-c", self._mount()], capture_output=True, check=False)
            if tried.returncode == 0:
                self.folder.rmdir()
                return namespace
        self.folder.rmdir()
        return None


def test_a_full_disk_at_the_start_is_named(small_disk: SmallDisk) -> None:
    launched = small_disk.launch(left_kb=200)
    assert launched.status() == 74
    assert "the disk is full" in launched.screen
    assert "Make room on the disk of" in launched.screen


def test_a_disk_that_fills_while_everything_runs_ends_it_with_the_reason(small_disk: SmallDisk) -> None:
    launched = small_disk.launch(left_kb=20_000)
    if small_disk.namespace is not None:
        launched.wait_until_ready()
        fill(small_disk, launched)
    assert launched.process.wait(FULL_S) == 74
    assert "the disk is full" in launched.screen


def test_a_damaged_data_folder_is_named_and_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "concord"
    data = folder / "data" / "mongodb"
    start_mongodb(data, log_dir=tmp_path, cache_gb=TEST_CACHE_GB).stop()
    rubbish = b"\xde\xad" * 1_024
    (data / "WiredTiger.turtle").write_bytes(rubbish)

    damaged = Launched(folder)
    assert damaged.status() == 65
    assert "MongoDB: its data folder is damaged" in damaged.screen
    assert f"Restore {data}" in damaged.screen
    assert "make clean" in damaged.screen
    assert (data / "WiredTiger.turtle").read_bytes() == rubbish


def test_a_data_folder_that_another_process_uses_is_named_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "concord"
    data = folder / "data" / "mongodb"
    other = start_mongodb(data, log_dir=tmp_path, cache_gb=TEST_CACHE_GB)
    try:
        launched = Launched(folder)
        assert launched.status() == 75
        assert "its data folder is in use by another process" in launched.screen
    finally:
        other.stop()


def test_without_java_the_launcher_says_what_to_install(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "env"):
        (programs / name).symlink_to(str(shutil.which(name)))
    launched = Launched(tmp_path / "concord", PATH=str(programs))
    assert launched.status() == 69
    assert "No java 17 or later was found" in launched.screen


def fill(small_disk: SmallDisk, launched: Launched) -> None:
    """Leave no room, then let MongoDB need some."""
    rest = small_disk.seen_from_outside(small_disk.folder / "rest")
    with rest.open("wb", buffering=0) as file:
        try:
            while file.write(os.urandom(65_536)) == 65_536:
                pass
        except OSError:
            pass
    url = launched.settings_of_the_application()["CONCORD_MONGO_URL"]
    with MongoClient[Document](url, serverSelectionTimeoutMS=1_000, socketTimeoutMS=5_000) as client:
        wait_until(lambda: not written(client, launched), timeout_s=FULL_S, what="the refusal of a write")


def written(client: MongoClient[Document], launched: Launched) -> bool:
    try:
        client["stack"]["notes"].insert_many([{"text": os.urandom(1_000)} for _ in range(1_000)])
    except PyMongoError:
        return launched.process.poll() is None and not launched.screen.count("disk is full")
    return True
