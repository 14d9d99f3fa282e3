"""The two commands and their kin, as the Makefile has them."""

import re
import shutil
import subprocess
from pathlib import Path

from deploy.local.places import ROOT, Places
from tests.local.waiting import own_environment

TARGETS = {
    "run",
    "test",
    "test-fast",
    "test-faults",
    "test-keycloak",
    "bench",
    "lint",
    "types",
    "clean",
    "help",
}


def make(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=own_environment(),
    )


def test_help_names_every_target_with_a_sentence() -> None:
    shown = make("help").stdout
    named = dict(re.findall(r"^  make ([a-z-]+) +(.+)$", shown, re.MULTILINE))
    assert set(named) == TARGETS
    assert make().stdout == shown


def test_what_the_machine_runs_is_what_a_person_runs() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert script.rstrip().endswith("exec make test")
    commands = make("--dry-run", "test").stdout
    for part in ("deploy.local.setup test", "ruff check", "ruff format --check", "mypy", "pytest tests"):
        assert part in commands, part


def test_what_is_running_is_not_cleaned_away(tmp_path: Path) -> None:
    clone = clone_with_data(tmp_path)
    with Places(clone / ".concord").only_launcher() as only:
        assert only
        refused = make("clean", cwd=clone)
    assert "Concord is running here; end it first" in refused.stderr
    assert "Error 75" in refused.stderr
    assert (clone / ".concord" / "data").exists()


def test_cleaning_removes_the_data_and_keeps_what_was_fetched(tmp_path: Path) -> None:
    clone = clone_with_data(tmp_path)
    assert make("clean", cwd=clone).returncode == 0
    assert not (clone / ".concord" / "data").exists()
    assert (clone / ".concord" / "kafka").exists()


def clone_with_data(tmp_path: Path) -> Path:
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "deploy", clone / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", clone)
    for folder in ("data", "log", "kafka"):
        (clone / ".concord" / folder).mkdir(parents=True)
    return clone
