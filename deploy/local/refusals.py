"""Why the local stack does not start, in words for the person at the keyboard, with the exit status of each.

docs/reference/starting.md is the table of these; tests/local provokes every row of it.
"""

from enum import IntEnum
from pathlib import Path


class Status(IntEnum):
    """Exit statuses of the launcher. The numbers are those of sysexits.h."""

    DATA_DAMAGED = 65
    MISSING = 69
    ENDED = 70
    DISK_FULL = 74
    TRY_AGAIN = 75
    NOT_ALLOWED = 77


class CannotStart(Exception):
    """A start that failed for a reason we can name."""

    def __init__(self, status: Status, message: str, *, what_to_do: str) -> None:
        super().__init__(f"{message}\n{what_to_do}")
        self.status = status


class PortTaken(Exception):
    """Somebody else took the port between our choice and the server's start: choose again."""


_SIGNS: tuple[tuple[str, Status | None], ...] = (
    ("No space left on device", Status.DISK_FULL),
    ("Available disk space", Status.DISK_FULL),
    ("File too large", Status.DISK_FULL),
    ("Address already in use", None),
    ("DBPathInUse", Status.TRY_AGAIN),
    ("Failed to acquire lock on file", Status.TRY_AGAIN),
    ("WiredTiger metadata corruption", Status.DATA_DAMAGED),
    ("WT_TRY_SALVAGE", Status.DATA_DAMAGED),
    ("WT_PANIC", Status.DATA_DAMAGED),
    ("Unable to start up mongod due to missing featureCompatibilityVersion document", Status.DATA_DAMAGED),
    ("InvalidReplicaSetConfig", Status.DATA_DAMAGED),
    ("UnsupportedFormat", Status.DATA_DAMAGED),
    ("No `meta.properties` found", Status.DATA_DAMAGED),
    ("not a directory", Status.DATA_DAMAGED),
    ("Corrupt", Status.DATA_DAMAGED),
    ("Unable to read the broker metadata", Status.DATA_DAMAGED),
    ("Permission denied", Status.NOT_ALLOWED),
    ("cannot run ", Status.MISSING),
)


def explain(name: str, log_text: str, *, log: Path, data_dir: Path) -> CannotStart | PortTaken:
    """Read the reason of a failed start out of the server's log."""
    found = next(((sign, status) for sign, status in _SIGNS if sign in log_text), None)
    if found is not None and found[1] is None:
        return PortTaken(name)
    status = Status.ENDED if found is None or found[1] is None else found[1]
    last = _last_words(log_text) if found is None else found[0]
    return CannotStart(
        status,
        f"{name} did not start: {_MESSAGES[status]} ({last})",
        what_to_do=_WHAT_TO_DO[status].format(data_dir=data_dir, log=log),
    )


_MESSAGES = {
    Status.DATA_DAMAGED: "its data folder is damaged",
    Status.MISSING: "its program is missing",
    Status.ENDED: "it ended or did not answer",
    Status.DISK_FULL: "the disk is full",
    Status.TRY_AGAIN: "its data folder is in use by another process",
    Status.NOT_ALLOWED: "it may not read or write its files",
}
_WHAT_TO_DO = {
    Status.DATA_DAMAGED: "To begin anew without the old data: make clean. To keep it, restore {data_dir}.",
    Status.MISSING: "See {log}.",
    Status.ENDED: "See {log}.",
    Status.DISK_FULL: "Make room on the disk of {data_dir}, then start again; nothing accepted is lost.",
    Status.TRY_AGAIN: "Wait until the process that uses {data_dir} has ended, then start again.",
    Status.NOT_ALLOWED: "Give yourself the rights to {data_dir}, or start as the user who owns it.",
}


def _last_words(log_text: str) -> str:
    lines = [line for line in log_text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it wrote nothing"
