"""Who must do what by when. Any service says so, in the stream of what it is about; My work lists them."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from shared.contracts.envelope import Event
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, Visibility

_TASK = "tsk_01JD0000000000000000000020"
_ABOUT = "agr_01JD0000000000000000000010"


class TaskKind(StrEnum):
    SIGN_AGREEMENT = "sign_agreement"
    JOIN_FOR_PARTNER = "join_for_partner"


class TaskAssigned(Event):
    """Assigned to a person, or to whoever holds a role within a scope."""

    type: ClassVar[str] = "task.assigned.v1"
    visibility = Visibility.SECRETARIAT
    example: ClassVar[dict[str, Any]] = {
        "task_id": _TASK,
        "kind": "sign_agreement",
        "about": _ABOUT,
        "label": "UNH/MOU/2027/0041",
        "person_id": None,
        "role": "signatory",
        "scope": [],
        "due_at": "2027-03-31T21:00:00Z",
        "reason": "text_frozen",
    }
    task_id: str
    kind: TaskKind
    about: str = Field(description="The id of what the task is about")
    label: str = Field(description="What people call it: a reference or a name")
    person_id: str | None
    role: Role | None
    scope: tuple[Scope, ...] = ()
    due_at: datetime | None
    reason: str = Field(description="Why now, as a message key")


class TaskDone(Event):
    type: ClassVar[str] = "task.done.v1"
    visibility = Visibility.SECRETARIAT
    example: ClassVar[dict[str, Any]] = {"task_id": _TASK, "about": _ABOUT, "outcome": "signed"}
    task_id: str
    about: str
    outcome: str = Field(description="How it ended, as a message key: done, or no longer needed")


EVENTS = (TaskAssigned, TaskDone)
