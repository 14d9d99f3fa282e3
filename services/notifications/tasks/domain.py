"""A task as its reader sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts.notifications.task import TaskKind
from shared.contracts.vocabulary import Role, ScopeKind


@dataclass(frozen=True, kw_only=True)
class Task:
    """Given to a person, or to whoever holds `role` where the scope reaches; `scope` is of `kind:value`."""

    id: str
    kind: TaskKind
    about: str
    label: str
    role: Role | None
    scope: tuple[str, ...]
    reason: str
    due_at: datetime | None
    assigned_at: datetime

    @property
    def partner_id(self) -> str | None:
        """Whose user is meant, where it is a partner's."""
        parts = (part.partition(":") for part in self.scope)
        return next((value for kind, _, value in parts if kind == ScopeKind.PARTNER), None)


def task_of(document: Mapping[str, Any]) -> Task:
    role = document["role"]
    return Task(
        id=document["_id"],
        kind=TaskKind(document["kind"]),
        about=document["about"],
        label=document["label"],
        role=None if role is None else Role(role),
        scope=tuple(document["scope"]),
        reason=document["reason"],
        due_at=document["due_at"],
        assigned_at=document["assigned_at"],
    )
