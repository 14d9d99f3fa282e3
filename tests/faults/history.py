"""What callers asked and what they were told: the list that storage and topics are checked against.

A line is written before a command is asked for and another when it is answered, each with one write to a file
opened for appending, so a killed process leaves every line it got as far as. A command without an answer, or
whose answer says that the outcome is not known, may have happened or not; of every other one it is certain.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Said(StrEnum):
    INVOKED = "invoked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Line:
    """`events`: stream and version of each event the caller was told of. `at`: seconds, for durations."""

    op: str
    said: Said
    at: float
    code: str = ""
    events: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command from the first time it was asked for to the last answer."""

    op: str
    outcome: Said
    asked_at: float
    answered_at: float
    code: str
    events: tuple[tuple[str, int], ...]


class History:
    """Written by the process that asks."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, op: str, said: Said, *, code: str = "", events: Sequence[tuple[str, int]] = ()) -> None:
        line = Line(op=op, said=said, at=time.monotonic(), code=code, events=tuple(events))
        os.write(self._file, json.dumps(asdict(line)).encode() + b"\n")

    def close(self) -> None:
        os.close(self._file)


def read(path: Path) -> list[Line]:
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]  # What follows the last line feed was cut short.
    return [_line(json.loads(line)) for line in lines]


def _line(fields: dict[str, object]) -> Line:
    events = tuple((str(stream), int(version)) for stream, version in fields.pop("events"))  # type: ignore[attr-defined]
    return Line(**{**fields, "said": Said(str(fields["said"])), "events": events})  # type: ignore[arg-type]


def commands(lines: Iterable[Line]) -> dict[str, Command]:
    """What is known of each command. Once it was accepted, it was; once the outcome was unknown, a later
    refusal does not make it known.
    """
    by_op: dict[str, list[Line]] = {}
    for line in lines:
        by_op.setdefault(line.op, []).append(line)
    return {op: _command(op, told) for op, told in by_op.items()}


def _command(op: str, told: Sequence[Line]) -> Command:
    answers = [line for line in told if line.said is not Said.INVOKED]
    unanswered = sum(line.said is Said.INVOKED for line in told) > len(answers)
    accepted = [line for line in answers if line.said is Said.ACCEPTED]
    if accepted:
        last, outcome = accepted[0], Said.ACCEPTED
    elif unanswered or any(line.said is Said.UNKNOWN for line in answers):
        last, outcome = told[-1], Said.UNKNOWN
    else:
        last, outcome = told[-1], Said.REFUSED
    return Command(
        op=op,
        outcome=outcome,
        asked_at=told[0].at,
        answered_at=last.at,
        code=last.code,
        events=last.events,
    )
