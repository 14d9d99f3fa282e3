"""A service in miniature whose every effect can be counted: what the fault tests run, kill and check.

Members are registered, suspended and reinstated by commands; the events are the register's own. Three
consumers hear of it. `effects` counts how often each event had its effect and chains them in the order in
which they came. `errands` writes events of its own: an errand for each suspension, which a timer ends after a
moment unless a reinstatement ends it first. `outcomes` counts the effects of those.

A double effect is not refused here but counted, so that the checker sees it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

from shared.contracts.envelope import Event
from shared.contracts.notifications.task import TaskAssigned, TaskDone, TaskKind
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.ids import new_id
from shared.messaging.subscription import OnEvent, Received, Subscription
from shared.service import Room, Runtime, Worker
from shared.storage.repository import Repository, Unit
from shared.storage.timers import Timer
from shared.storage.views import Rows, View
from tests.support.writing import members, registered

SERVICE = "trial"
PARTNERS, NOTIFICATIONS = "concord.partners.v1", "concord.notifications.v1"
KEYS, EFFECTS, TALLIES, OPEN = "keys", "effects", "tallies", "open_errands"
END_ERRAND = "end_errand"
ERRAND_LASTS = timedelta(milliseconds=300)


@dataclass(frozen=True)
class Errand:
    """Somebody must look at a suspension. `cause` is the event of the suspension."""

    id: str
    cause: str
    outcome: str = ""

    @classmethod
    def begin(cls, event: Event) -> Self:
        assert isinstance(event, TaskAssigned)
        return cls(id=event.task_id, cause=event.about)

    def apply(self, event: Event) -> Self:
        assert isinstance(event, TaskDone) and not self.outcome, "an errand ends once"
        return replace(self, outcome=event.outcome)

    def end(self, outcome: str) -> list[Event]:
        return [] if self.outcome else [TaskDone(task_id=self.id, about=self.cause, outcome=outcome)]


errands = Repository(Errand, collection="errands", noun="errand", prefix="tsk", service="notifications")
REPOSITORIES: tuple[Repository[Any], ...] = (members, errands)


def member_id(number: int) -> str:
    return f"ptn_{number:026d}"


async def toggle(unit: Unit, op: str, ids: Sequence[str]) -> list[tuple[str, int]]:
    """One command on one or several members, once, however often it is asked for under this key."""
    known = await unit.get(KEYS, op)
    if known is not None:
        return [(stream, version) for stream, version in known["events"]]
    events: list[tuple[str, int]] = []
    for id in sorted(ids):
        member = await members.find(unit, id)
        if member is None:
            members.create(unit, id, [registered(id, id)])
        else:
            members.save(unit, member, member.toggle())
        events.append((id, unit.version_of(id) or 0))
    unit.change.insert(KEYS, {"_id": op, "events": events})
    return events


def counted(consumer: str) -> OnEvent:
    async def count(event: Event, received: Received, unit: Unit) -> None:
        envelope = received.envelope
        row = {"_id": f"{consumer}|{envelope.id}"}
        facts = {"consumer": consumer, "stream": envelope.subject, "version": envelope.version}
        unit.change.edit(EFFECTS, row, {"$inc": {"times": 1}, "$setOnInsert": facts}, upsert=True)
        id = f"{consumer}|{envelope.subject}"
        tally = await unit.get(TALLIES, id) or {"_id": id, "link": ""}
        unit.put(TALLIES, {**tally, "link": link(tally["link"], envelope.id)})

    return count


def link(before: str, event_id: str) -> str:
    """The next link of a chain that only one order of effects gives."""
    return hashlib.sha256(f"{before}{event_id}".encode()).hexdigest()


async def member_suspended(event: PartnerSuspended, received: Received, unit: Unit) -> None:
    id = new_id("tsk")
    assigned = TaskAssigned(
        task_id=id,
        kind=TaskKind.JOIN_FOR_PARTNER,
        about=received.envelope.id,
        label=event.partner_id,
        person_id=None,
        role=None,
        due_at=unit.context.now + ERRAND_LASTS,
        reason="suspended",
    )
    errands.create(unit, id, [assigned])
    unit.put(OPEN, {"_id": event.partner_id, "errand": id})
    unit.schedule(END_ERRAND, id, unit.context.now + ERRAND_LASTS)


async def member_reinstated(event: PartnerReinstated, received: Received, unit: Unit) -> None:
    known = await unit.get(OPEN, event.partner_id)
    assert known is not None, "a reinstatement follows a suspension"
    errand = await errands.load(unit, known["errand"])
    errands.save(unit, errand, errand.end("reinstated"))
    unit.cancel(END_ERRAND, errand.id)


async def end_errand(timer: Timer, unit: Unit) -> None:
    errand = await errands.load(unit, timer.subject)
    errands.save(unit, errand, errand.end("time is over"))


def effects_subscription(purpose: str = "effects") -> Subscription:
    return Subscription(
        purpose=purpose,
        topic=PARTNERS,
        handlers=dict.fromkeys((PartnerRegistered, PartnerSuspended, PartnerReinstated), counted(purpose)),
    )


SUBSCRIPTIONS = (
    effects_subscription(),
    Subscription(
        purpose="errands",
        topic=PARTNERS,
        handlers={PartnerSuspended: member_suspended, PartnerReinstated: member_reinstated},
    ),
    Subscription(
        purpose="outcomes",
        topic=NOTIFICATIONS,
        handlers=dict.fromkeys((TaskAssigned, TaskDone), counted("outcomes")),
    ),
)


def seen(event: Any, received: Received, rows: Rows) -> None:
    """How often a member was suspended, and its version: an event that comes again changes nothing."""
    envelope, row = received.envelope, rows.get(event.partner_id)
    if row.get("version", 0) < envelope.version:
        suspensions = row.get("suspensions", 0) + isinstance(event, PartnerSuspended)
        rows.put({"_id": row["_id"], "version": envelope.version, "suspensions": suspensions})


MEMBERS_VIEW = View(
    name="members",
    topics=(PARTNERS,),
    project=dict.fromkeys((PartnerRegistered, PartnerSuspended, PartnerReinstated), seen),
    row_of=lambda event: event.partner_id,
)


def room(*workers: Worker, listens: bool = True) -> Room:
    return Room(
        name="trial",
        repositories=REPOSITORIES,
        subscriptions=SUBSCRIPTIONS if listens else (),
        deadlines={END_ERRAND: end_errand},
        views=(MEMBERS_VIEW,),
        workers=workers,
    )


def build(runtime: Runtime, settings: object) -> tuple[Room, ...]:
    return (room(),)
