"""My work over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.notifications.tasks.documents import TASKS
from services.notifications.tasks.queries import mine
from shared.contracts.notifications.task import TaskKind
from shared.http.app import Answer, Routes, Work
from shared.http.paging import Page, Paging, page_of

routes = Routes("notifications", room="tasks")


class TaskOut(Answer):
    id: str
    kind: TaskKind
    about: str
    label: str
    reason: str
    due_at: datetime | None
    assigned_at: datetime


@routes.get("/tasks", may="task:read")
async def list_my_tasks(paging: Paging, work: Work) -> Page[TaskOut]:
    """What I must do, or somebody in a role that I hold; soonest first, what has no date last."""
    return await page_of(
        work.mongo[TASKS],
        mine(work.context.actor),
        paging=paging,
        make=_task,
        sort=[("soonest", 1), ("_id", 1)],
    )


def _task(document: Mapping[str, Any]) -> TaskOut:
    return TaskOut(
        id=document["_id"],
        kind=TaskKind(document["kind"]),
        about=document["about"],
        label=document["label"],
        reason=document["reason"],
        due_at=document["due_at"],
        assigned_at=document["assigned_at"],
    )
