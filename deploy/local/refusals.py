"""Why the local stack does not start or had to end, in words for the person at the keyboard.

Each reason has an exit status; docs/reference/starting.md is the table of them, and tests/local provokes
every row. The servers give their reasons in their logs only: the signs below are what they wrote when each
thing was done to them. Where the log is cut off because the disk is full, the disk says so itself. What
nothing explains is told as it is, never guessed.
"""

import errno
import shutil
from enum import IntEnum
from pathlib import Path


class Status(IntEnum):
    """Exit statuses of the launcher. The numbers are those of sysexits.h."""

    USAGE = 64
    DATA_DAMAGED = 65
    MISSING = 69
    ENDED = 70
    DISK_FULL = 74
    TRY_AGAIN = 75
    NOT_ALLOWED = 77


class CannotStart(Exception):
    """A start, or a run, that ended for a reason we can name."""

    def __init__(self, status: Status, message: str, *, what_to_do: str) -> None:
        super().__init__(f"{message}\n{what_to_do}")
        self.status = status


class PortTaken(Exception):
    """Somebody else took the port between our choice and the server's start: choose again."""


DISK_FREE_BYTES_MIN = 4_000_000
PORT_SIGN = "Address already in use"
_DISK_SIGNS = ("No space left on device", "File too large", "not enough space on the disk")
_LOCK_SIGNS = ("DBPathInUse", "Failed to acquire lock on file")
_DAMAGE_SIGNS = (
    "This may be due to data corruption",
    "WiredTiger metadata corruption",
    "WT_TRY_SALVAGE",
    "WT_PANIC",
    "Unable to read the storage engine metadata file",
    "CorruptRecordException",
    "KafkaStorageException",
    "ID not found in",
    "Error while reading the Quorum status",
    "we still don't know the high water mark",
)
_SIGNS: tuple[tuple[tuple[str, ...], Status], ...] = (
    (_DISK_SIGNS, Status.DISK_FULL),
    (_LOCK_SIGNS, Status.TRY_AGAIN),
    (("Permission denied", "Operation not permitted"), Status.NOT_ALLOWED),
    (_DAMAGE_SIGNS, Status.DATA_DAMAGED),
    (("cannot run ",), Status.MISSING),
)
_ERRNO_STATUS = {
    errno.ENOSPC: Status.DISK_FULL,
    errno.EFBIG: Status.DISK_FULL,
    errno.EDQUOT: Status.DISK_FULL,
    errno.EACCES: Status.NOT_ALLOWED,
    errno.EPERM: Status.NOT_ALLOWED,
    errno.EROFS: Status.NOT_ALLOWED,
    errno.EEXIST: Status.DATA_DAMAGED,
    errno.ENOTDIR: Status.DATA_DAMAGED,
    errno.EISDIR: Status.DATA_DAMAGED,
}
_MESSAGES = {
    Status.USAGE: "it was asked for something it does not know",
    Status.DATA_DAMAGED: "its data folder is damaged",
    Status.MISSING: "its program is missing",
    Status.ENDED: "it ended or did not answer",
    Status.DISK_FULL: "the disk is full",
    Status.TRY_AGAIN: "its data folder is in use by another process",
    Status.NOT_ALLOWED: "it may not read or write its files",
}
_WHAT_TO_DO = {
    Status.USAGE: "See {log}",
    Status.DATA_DAMAGED: "Restore {place} to keep what it held, or begin anew without it: make clean",
    Status.MISSING: "See {log}",
    Status.ENDED: "See {log}",
    Status.DISK_FULL: "Make room on the disk of {place}, then start again; nothing accepted is lost.",
    Status.TRY_AGAIN: "Wait until the process that uses {place} has ended, then start again.",
    Status.NOT_ALLOWED: "Give yourself the rights to {place}, or start as the user who owns it.",
}


def explain(name: str, log_text: str, *, log: Path, data_dir: Path) -> CannotStart | PortTaken:
    """Read out of a server's log why it did not start."""
    if PORT_SIGN in log_text:
        return PortTaken(name)
    status, words = _status_of(log_text, data_dir)
    return refuse(name, status, words, log=log, place=data_dir)


def explain_end(name: str, log_text: str, *, log: Path, data_dir: Path) -> CannotStart:
    """Read out of the log of a server that ran why it ended."""
    status, words = _status_of(log_text, data_dir)
    if status is not Status.DISK_FULL:  # The other signs may be of anything in the log of a day's work.
        status, words = Status.ENDED, last_error(log_text)
    return refuse(name, status, words, log=log, place=data_dir)


def explain_os_error(name: str, error: OSError, *, log: Path, data_dir: Path) -> CannotStart:
    """Say what the system refused to the launcher itself."""
    status = _ERRNO_STATUS.get(error.errno or 0, Status.ENDED)
    return refuse(name, status, error.strerror or str(error), log=log, place=data_dir)


def refuse(name: str, status: Status, words: str, *, log: Path, place: Path) -> CannotStart:
    what_to_do = _WHAT_TO_DO[status].format(place=place, log=log)
    return CannotStart(status, f"{name}: {_MESSAGES[status]} ({words})", what_to_do=what_to_do)


def last_error(log_text: str) -> str:
    """The last line that is an error, else the last line."""
    lines = [line.strip() for line in log_text.splitlines() if line.strip()]
    errors = [
        line for line in lines if " ERROR " in line or '"s":"F"' in line or line.startswith("Caused by")
    ]
    return (errors or lines or ["it wrote nothing"])[-1][:200]


def _status_of(log_text: str, data_dir: Path) -> tuple[Status, str]:
    for signs, status in _SIGNS:
        for sign in signs:
            if sign in log_text:
                return status, sign
    free_bytes = _free_bytes(data_dir)
    if free_bytes < DISK_FREE_BYTES_MIN:
        return Status.DISK_FULL, f"{free_bytes // 1_000} kB are left"
    return Status.ENDED, last_error(log_text)


def _free_bytes(folder: Path) -> int:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free
