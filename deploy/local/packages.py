"""The Debian packages the stack needs: what is missing, and installing it where that is allowed.

Standard library only: this runs before anything is installed. Without the rights it asks for nothing and
waits for nothing; it prints the one command that a person with the rights has to run.
"""

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.jars import are_fetched
from deploy.local.places import Places
from deploy.local.programs import java_on_path, mongod_on_path
from deploy.local.refusals import CannotStart, Status
from deploy.local.steps import say, step

APT_LOCK_WAIT_S = 300
APT_TIMEOUT_S = 1_800.0
SUDO_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Need:
    """Something of the system, what it is for, and the Debian package that brings it."""

    what: str
    package: str


JAVA = Need("Java 17 or later, which Kafka runs on", "default-jre-headless")
MAVEN = Need("Maven, which fetches Kafka", "maven")
VENV = Need("Python's venv module, which makes the environment", f"python3.{sys.version_info.minor}-venv")
CURL = Need("libcurl, which MongoDB links to", "libcurl4")
WEB_CLIENT = Need("curl, with which the commands that `make run` prints are tried", "curl")
CHROMIUM = Need("Chromium, in which the screens are tried", "chromium")
COMPOSE = Need("docker-compose, which checks docker-compose.yml", "docker-compose")

# A file of each, by which it is known to be there wherever a system keeps its fonts.
FONTS = {
    "NotoSansArabic-Regular.*": Need("fonts for five of the six languages", "fonts-noto-core"),
    "NotoSansCJK-Regular.*": Need("fonts for Chinese", "fonts-noto-cjk"),
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def install_missing(needs: Sequence[Need]) -> None:
    """Install what is missing, or say in one command what a person with the rights has to do."""
    if not needs:
        return
    packages = sorted(need.package for need in needs)
    say("Missing on this system: " + "; ".join(need.what for need in needs) + ".")
    if shutil.which("apt-get") is None:
        raise CannotStart(
            Status.MISSING,
            "This system has no apt-get, so nothing was installed.",
            what_to_do="Install them your system's way, or use servers you have: set CONCORD_MONGO_URL and "
            "CONCORD_KAFKA_URL.",
        )
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    prefix = _rights()
    if prefix is None:
        raise CannotStart(
            Status.NOT_ALLOWED,
            "This user may not install packages. Run this one command, then start again:",
            what_to_do="  sudo " + " ".join(install),
        )
    with step(f"Installing the Debian packages {', '.join(packages)}"):
        if _apt(prefix, install).returncode != 0:
            _apt(prefix, ["apt-get", "update"])  # A fresh system has no lists yet, an old one has stale ones.
            done = _apt(prefix, install)
            _refuse_unless_done(done, install)


def missing_for_running(places: Places) -> list[Need]:
    """What `make run` needs beyond what is there; servers that are given need nothing here."""
    needs: list[Need] = []
    if "CONCORD_KAFKA_URL" not in os.environ:
        needs += _missing_for_kafka(places)
    if "CONCORD_MONGO_URL" not in os.environ:
        needs += _missing_for_mongodb()
    return needs + missing_for_python()


def missing_for_testing(places: Places) -> list[Need]:
    """The tests start servers of their own as well, even where some are given."""
    needs = _missing_for_kafka(places) + _missing_for_mongodb() + missing_for_python()
    needs += [] if shutil.which("curl") else [WEB_CLIENT]
    needs += [] if has_compose() else [COMPOSE]
    return needs + _missing_for_screens()


def missing_for_python() -> list[Need]:
    return [] if shutil.which("uv") or importlib.util.find_spec("ensurepip") else [VENV]


def has_compose() -> bool:
    if shutil.which("docker-compose") is not None:
        return True
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    return asked.returncode == 0


def _missing_for_kafka(places: Places) -> list[Need]:
    needs = [] if java_on_path() else [JAVA]
    if not are_fetched(places.jars) and shutil.which("mvn") is None:
        needs.append(MAVEN)
    return needs


def _missing_for_mongodb() -> list[Need]:
    return [] if mongod_on_path() or ctypes.util.find_library("curl") else [CURL]


def _missing_for_screens() -> list[Need]:
    needs = [] if shutil.which("chromium") else [CHROMIUM]
    return needs + [need for file, need in FONTS.items() if not _has_font(file)]


def _has_font(file: str) -> bool:
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(next(folder.rglob(file), None) is not None for folder in folders if folder.is_dir())


def _rights() -> list[str] | None:
    """What to put before apt-get, or None where this user may not run it."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    asked = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False, timeout=SUDO_TIMEOUT_S)
    return [sudo, "-n"] if asked.returncode == 0 else None


def _apt(prefix: Sequence[str], command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """In a session of its own: Ctrl-C must not cut dpkg in half."""
    settings = ["env", "DEBIAN_FRONTEND=noninteractive"]
    waiting = ["-o", f"DPkg::Lock::Timeout={APT_LOCK_WAIT_S}"]
    return subprocess.run(
        [*prefix, *settings, command[0], *waiting, *command[1:]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=APT_TIMEOUT_S,
        start_new_session=True,
    )


def _refuse_unless_done(done: subprocess.CompletedProcess[str], command: Sequence[str]) -> None:
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).strip()[-1_500:]
    raise CannotStart(
        Status.MISSING,
        f"apt-get could not install what is missing:\n{said}",
        what_to_do="Mend that, run this by hand, then start again:\n  sudo " + " ".join(command),
    )
