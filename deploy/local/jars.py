"""The broker's jars: fetched once by Maven, checked against kafka/jars.sha256, kept in one folder.

Maven resolves the versions; the hashes decide. The folder appears whole or not at all: the jars are fetched
into a folder beside it, which takes its name when every hash is right. Two starts at once wait for each
other.
"""

import fcntl
import hashlib
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.child import NEVER, Child, NotReady
from deploy.local.refusals import CannotStart, Status

FETCH_TIMEOUT_S = 900.0
_SOURCES = Path(__file__).with_name("kafka")
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_STAMP = "complete"


def jars_folder(folder: Path, *, log_dir: Path, give_up: threading.Event = NEVER) -> Path:
    """Make sure that the jars are in the folder, and return it."""
    if are_fetched(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _only_one_fetches(folder):
        if not are_fetched(folder):
            _fetch(folder, log=log_dir / "maven.log", give_up=give_up)
    return folder


def are_fetched(folder: Path) -> bool:
    """Whether the folder is whole and holds the versions that are wanted now."""
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text() == _stamp()


def _fetch(folder: Path, *, log: Path, give_up: threading.Event) -> None:
    incoming = folder.with_name(folder.name + ".incoming")
    shutil.rmtree(incoming, ignore_errors=True)
    maven = shutil.which("mvn")
    if maven is None:
        raise CannotStart(
            Status.MISSING,
            "Maven (mvn) was not found; it fetches Kafka.",
            what_to_do="`make run` installs it where it may; or set CONCORD_KAFKA_URL.",
        )
    pom = str(_SOURCES / "pom.xml")
    command = [maven, "-q", "-B", "--strict-checksums", "-f", pom, _COPY]
    scope = ["-DincludeScope=runtime", f"-DoutputDirectory={incoming.resolve()}"]
    fetching = Child("Maven", [*command, *scope], log=log)
    try:
        status = fetching.wait_for_end(timeout_s=FETCH_TIMEOUT_S, give_up=give_up)
    except NotReady as slow:
        raise _not_fetched(f"Maven could not fetch Kafka: {slow}") from slow
    if status != 0:
        raise _not_fetched("Maven could not fetch Kafka:\n" + fetching.log_of_this_start()[-2_000:])
    check(incoming)
    (incoming / _STAMP).write_text(_stamp())
    shutil.rmtree(folder, ignore_errors=True)
    incoming.rename(folder)


def check(folder: Path) -> None:
    wanted = dict(_wanted())
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    if found != wanted:
        wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        raise _not_fetched(f"These jars are not the ones in kafka/jars.sha256: {', '.join(wrong)}")


def _wanted() -> Iterator[tuple[str, str]]:
    for line in (_SOURCES / "jars.sha256").read_text().splitlines():
        digest, name = line.split()
        yield name, digest


def _stamp() -> str:
    return hashlib.sha256((_SOURCES / "jars.sha256").read_bytes()).hexdigest()


def _not_fetched(message: str) -> CannotStart:
    return CannotStart(
        Status.MISSING, message, what_to_do="Start again when the network is there, or set CONCORD_KAFKA_URL."
    )


@contextmanager
def _only_one_fetches(folder: Path) -> Iterator[None]:
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
