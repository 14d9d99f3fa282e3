"""The set-up on machines that lack something: a copy of the sources, an empty home, a PATH of our choosing.

The requirements are one small package here; that the real ones install is what `make test` has just shown.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from deploy.local.places import ROOT
from deploy.local.servers import JARS
from tests.local.waiting import own_environment, wait_until

SETUP_S = 240.0
SMALL_PACKAGE = "idna"
PLAIN_PROGRAMS = ("sh", "env", "apt-get", "ldconfig", "mvn", "uv", "gcc", "ld")
NOBODY = "65534"


class Machine:
    """A fresh clone on a machine with the programs we give it."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.programs = folder / "clone", folder / "programs"
        self.programs.mkdir(parents=True)
        for name in PLAIN_PROGRAMS:
            if (found := shutil.which(name)) is not None:
                (self.programs / name).symlink_to(found)
        shutil.copytree(ROOT / "deploy", self.clone / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        requirements = self.clone / "requirements"
        requirements.mkdir()
        for name in ("run.txt", "test.txt", "local.txt", "web.txt"):
            (requirements / name).write_text(pinned(SMALL_PACKAGE))
        (self.clone / ".concord" / "kafka").mkdir(parents=True)
        (self.clone / ".concord" / "kafka" / "jars").symlink_to(JARS)

    def give(self, name: str, script: str) -> None:
        program = self.programs / name
        program.unlink(missing_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    def give_java(self, version: str = "17.0.15") -> None:
        self.give("java", f"echo 'openjdk version \"{version}\"' >&2")

    def begin(
        self, purpose: str = "run", *, before: Sequence[str] = (), **settings: str
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*before, sys.executable, "-m", "deploy.local.setup", purpose],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.clone,
            env=own_environment(PATH=str(self.programs), **settings),
        )

    def set_up(self, purpose: str = "run", *, before: Sequence[str] = (), **settings: str) -> tuple[int, str]:
        with self.begin(purpose, before=before, **settings) as going:
            said, _ = going.communicate(timeout=SETUP_S)
        return going.returncode, said

    def has(self, package: str) -> bool:
        python = self.clone / ".venv" / "bin" / "python"
        tried = subprocess.run([python, "-c", f"import {package}"], capture_output=True, check=False)
        return tried.returncode == 0


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_fresh_clone_is_set_up_and_the_next_time_nothing_is_left_to_do(machine: Machine) -> None:
    machine.give_java()
    status, said = machine.set_up()
    assert (status, machine.has(SMALL_PACKAGE)) == (0, True), said
    assert "Making the Python environment" in said
    assert "requirements/run.txt" in said
    assert machine.set_up() == (0, "")


def test_changed_requirements_are_installed_again(machine: Machine) -> None:
    machine.give_java()
    machine.set_up()
    wanted = machine.clone / "requirements" / "run.txt"
    wanted.write_text(wanted.read_text() + "# another line\n")
    _, said = machine.set_up()
    assert "requirements/run.txt" in said
    assert "requirements/local.txt" not in said


def test_front_end_files_stand_apart_and_come_back_when_they_were_taken_away(machine: Machine) -> None:
    machine.give_java()
    machine.set_up()
    apart = machine.clone / ".venv" / "web"
    assert (apart / SMALL_PACKAGE).is_dir()
    shutil.rmtree(apart)
    _, said = machine.set_up()
    assert "front-end files of requirements/web.txt" in said
    assert "requirements/run.txt" not in said
    assert (apart / SMALL_PACKAGE).is_dir()


def test_of_other_front_end_files_nothing_old_is_left(machine: Machine) -> None:
    machine.give_java()
    machine.set_up()
    old = machine.clone / ".venv" / "web" / "old.js"
    old.write_text("")
    wanted = machine.clone / "requirements" / "web.txt"
    wanted.write_text(wanted.read_text() + "# another line\n")
    assert machine.set_up()[0] == 0
    assert not old.exists()


def test_a_first_run_cut_short_is_taken_up_again(machine: Machine) -> None:
    machine.give_java()
    with machine.begin() as going:
        wait_until(
            lambda: (machine.clone / ".venv" / "bin").exists(), timeout_s=SETUP_S, what="half an environment"
        )
        going.send_signal(signal.SIGKILL)
    assert not (machine.clone / ".venv" / "concord-installed" / "run").exists()
    status, said = machine.set_up()
    assert (status, machine.has(SMALL_PACKAGE)) == (0, True), said


def test_an_environment_whose_python_does_not_run_is_made_anew(machine: Machine) -> None:
    machine.give_java()
    half = machine.clone / ".venv" / "bin"
    half.mkdir(parents=True)
    (half / "python").write_text("")
    status, said = machine.set_up()
    assert "does not work" in said
    assert (status, machine.has(SMALL_PACKAGE)) == (0, True), said


def test_a_package_with_another_hash_is_not_installed(machine: Machine) -> None:
    machine.give_java()
    wanted = machine.clone / "requirements" / "run.txt"
    other = hashlib.sha256(b"another").hexdigest()
    wanted.write_text(re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{other}", wanted.read_text()))
    status, said = machine.set_up()
    assert (status, machine.has(SMALL_PACKAGE)) == (69, False)
    assert "requirements/run.txt failed" in said
    assert "it goes on from here" in said


@pytest.mark.parametrize("java", [None, "11.0.2"])
def test_without_java_and_with_the_rights_the_debian_package_is_installed(
    machine: Machine, java: str | None
) -> None:
    if java is not None:
        machine.give_java(java)
    installed = machine.programs / "java"
    machine.give(
        "apt-get",
        f'echo "$@" >> {machine.clone}/asked\n'
        f"printf '#!/bin/sh\\necho %s >&2\\n' \"'version \\\"17.0.1\\\"'\" > {installed}\n"
        f"/bin/chmod 755 {installed}",
    )
    status, said = machine.set_up()
    assert status == 0, said
    assert "Java 17 or later" in said
    asked = (machine.clone / "asked").read_text()
    assert "install --yes --no-install-recommends default-jre-headless" in asked


def test_a_system_with_old_package_lists_fetches_them_and_tries_again(machine: Machine) -> None:
    machine.give("apt-get", f'echo "$@" >> {machine.clone}/asked; exit 100')
    status, said = machine.set_up()
    assert status == 69
    assert "apt-get could not install what is missing" in said
    asked = (machine.clone / "asked").read_text().splitlines()
    assert [line.split("Timeout=300 ")[1].split()[0] for line in asked] == ["install", "update", "install"]


def test_without_the_rights_to_install_the_one_command_is_printed() -> None:
    with tempfile.TemporaryDirectory(prefix="concord-setup-") as folder:
        Path(folder).chmod(0o755)  # A test's own folder is closed to the other user.
        status, said = Machine(Path(folder)).set_up(before=as_another_user())
    assert status == 77
    assert "Java 17 or later" in said
    assert "sudo apt-get install --yes --no-install-recommends default-jre-headless" in said


def test_without_debian_it_says_what_is_missing(machine: Machine) -> None:
    (machine.programs / "apt-get").unlink(missing_ok=True)
    status, said = machine.set_up()
    assert status == 69
    assert "Java 17 or later" in said
    assert "CONCORD_KAFKA_URL" in said


def test_the_screens_are_tried_in_a_browser_which_only_the_tests_need(machine: Machine) -> None:
    (machine.programs / "apt-get").unlink(missing_ok=True)
    assert "Chromium" in machine.set_up("test")[1]
    assert "Chromium" not in machine.set_up("run")[1]


def test_servers_that_are_given_need_no_java(machine: Machine) -> None:
    given = {"CONCORD_KAFKA_URL": "127.0.0.1:1", "CONCORD_MONGO_URL": "mongodb://127.0.0.1:1"}
    status, said = machine.set_up(**given)
    assert status == 0, said
    assert "requirements/local.txt" not in said


def test_what_needs_no_servers_needs_no_java_either(machine: Machine) -> None:
    status, said = machine.set_up("check")
    assert (status, machine.has(SMALL_PACKAGE)) == (0, True), said
    assert "requirements/test.txt" in said
    assert "requirements/local.txt" not in said


def as_another_user() -> list[str]:
    """Not root, and yet able to read the sources wherever they lie; nothing when we are not root anyway."""
    if os.geteuid() != 0:
        return []
    may_read = "+dac_override"
    return [
        str(shutil.which("setpriv")),
        f"--reuid={NOBODY}",
        f"--inh-caps={may_read}",
        f"--ambient-caps={may_read}",
    ]


def pinned(package: str) -> str:
    """The package's own lines out of the real requirements, hashes and all."""
    text = (ROOT / "requirements" / "run.txt").read_text()
    found = re.search(rf"^{package}==[^\n]*\\\n(?:    --hash=[^\n]*\n)+", text, re.MULTILINE)
    assert found is not None, f"{package} is not in requirements/run.txt"
    return found.group(0)
