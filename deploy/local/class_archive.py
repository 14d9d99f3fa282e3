"""Makes the broker start in half the time: the JVM's archive of the classes it loads, made once.

A broker is started on a throw-away folder and told to write down, at its end, what it has loaded; later
starts read that file instead of 4,000 classes out of jars. On two busy cores it is the difference between
two seconds of a processor and four, at every start.

What is not needed for correctness: any of it. The JVM checks the archive against the jars and itself and
ignores one that does not fit; where none could be made, the broker starts as before.
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from deploy.local.jars import are_fetched
from deploy.local.kafka import KafkaServer, archive_of
from deploy.local.ports import free_ports
from deploy.local.programs import find_java
from deploy.local.refusals import CannotStart, PortTaken

# Writing the archive is part of the broker's end.
WRITE_S = 120.0


def archive_is_made(jars: Path) -> bool:
    stamp = _stamp_of(jars)
    return are_fetched(jars) and stamp.exists() and stamp.read_text() == _mark(jars)


def make_archive(jars: Path, *, log_dir: Path) -> bool:
    """Try to make one, and say whether that was possible."""
    archive = archive_of(jars)
    unfinished = archive.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    archive.unlink(missing_ok=True)
    port, controller_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="concord-kafka-") as folder:
        broker = KafkaServer(
            port=port,
            controller_port=controller_port,
            data_dir=Path(folder) / "kafka",
            log=log_dir / "kafka-archive.log",
            jars=jars,
            options=(f"-XX:ArchiveClassesAtExit={unfinished}",),
            grace_s=WRITE_S,
        )
        try:
            broker.start_again()
        except (CannotStart, PortTaken):
            unfinished.unlink(missing_ok=True)
        finally:
            broker.stop()
    if unfinished.exists():
        unfinished.rename(archive)
    # Where it could not be made it is not tried at each start, only when the jars or the JVM are others.
    _stamp_of(jars).write_text(_mark(jars))
    return archive.exists()


def _stamp_of(jars: Path) -> Path:
    return archive_of(jars).with_suffix(".made")


def _mark(jars: Path) -> str:
    java = subprocess.run([find_java(), "-version"], capture_output=True, text=True, check=False).stderr
    return hashlib.sha256(f"{(jars / 'complete').read_text()}\n{java}\n{jars.resolve()}".encode()).hexdigest()
