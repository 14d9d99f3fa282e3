"""What is assigned and what is done, from whichever service says so.

A task that is done stays done: its end may be heard before its beginning where the two stand in different
streams, and then the end leaves the mark.
"""

from collections.abc import Mapping

from services.notifications.tasks.documents import NO_DATE, TASKS
from shared.contracts.envelope import Event
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.messaging.subscription import OnEvent, Received, Subscription
from shared.storage.repository import Unit


async def task_assigned(event: TaskAssigned, received: Received, unit: Unit) -> None:
    known = await unit.get(TASKS, event.task_id)
    if known is not None and not known["open"]:
        return
    envelope = received.envelope
    unit.put(
        TASKS,
        {
            "_id": event.task_id,
            "open": True,
            "kind": event.kind.value,
            "about": event.about,
            "label": event.label,
            "person_id": event.person_id,
            "role": None if event.role is None else event.role.value,
            "scope": [f"{scope.kind}:{scope.value}" for scope in event.scope],
            "due_at": event.due_at,
            "soonest": event.due_at or NO_DATE,
            "reason": event.reason,
            "assigned_at": envelope.time,
            "caused_by": envelope.actor,
            "visibility": envelope.visibility.value,
            "audience": list(envelope.audiences),
        },
    )


async def task_done(event: TaskDone, received: Received, unit: Unit) -> None:
    known = await unit.get(TASKS, event.task_id) or {"_id": event.task_id, "about": event.about}
    envelope = received.envelope
    done = {"open": False, "outcome": event.outcome, "done_at": envelope.time, "done_by": envelope.actor}
    unit.put(TASKS, {**known, **done})


_HANDLERS: Mapping[type[Event], OnEvent] = {TaskAssigned: task_assigned, TaskDone: task_done}

SUBSCRIPTIONS = (
    Subscription(purpose="tasks_of_partners", topic="concord.partners.v1", handlers=_HANDLERS),
    Subscription(purpose="tasks_of_agreements", topic="concord.agreements.v1", handlers=_HANDLERS),
)
