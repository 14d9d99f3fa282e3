"""The programs the stack is made of: where they are, and whether they are new enough."""

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from deploy.local.refusals import CannotStart, Status

MONGOD_VERSION_MIN = (6, 0)
JAVA_VERSION_MIN = (17,)
ASK_TIMEOUT_S = 30.0

Version = tuple[int, ...]


def find_mongod() -> Path:
    """The one on PATH when it is new enough, else the one that requirements/local.txt installs."""
    if (on_path := mongod_on_path()) is not None:
        return on_path
    program = Path(sysconfig.get_paths()["purelib"], "fiftyone", "db", "bin", "mongod")
    if not program.exists():
        raise CannotStart(
            Status.MISSING,
            f"No mongod {_text(MONGOD_VERSION_MIN)} or later was found.",
            what_to_do="`make run` installs one; or put mongod on PATH, or set CONCORD_MONGO_URL.",
        )
    if not os.access(program, os.X_OK):
        program.chmod(program.stat().st_mode | 0o111)
    return program


def mongod_on_path() -> Path | None:
    return _on_path("mongod", "--version", r"db version v(\d+)\.(\d+)", MONGOD_VERSION_MIN)


def find_java() -> Path:
    found = java_on_path()
    if found is None:
        raise CannotStart(
            Status.MISSING,
            f"No java {_text(JAVA_VERSION_MIN)} or later was found; Kafka runs on it.",
            what_to_do="`make run` installs one where it may; or put java on PATH, or set CONCORD_KAFKA_URL.",
        )
    return found


def java_on_path() -> Path | None:
    return _on_path("java", "-version", r'version "(\d+)', JAVA_VERSION_MIN)


def _on_path(name: str, option: str, pattern: str, at_least: Version) -> Path | None:
    program = shutil.which(name)
    if program is None:
        return None
    try:
        asked = subprocess.run(
            [program, option], capture_output=True, text=True, check=False, timeout=ASK_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None  # A program that cannot say its version cannot run a server either.
    found = re.search(pattern, asked.stdout + asked.stderr)
    version = tuple(int(part) for part in found.groups()) if found else ()
    return Path(program) if version >= at_least else None


def _text(version: Version) -> str:
    return ".".join(map(str, version))
