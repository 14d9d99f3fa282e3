"""What deliveries keeps: the open and settled deliveries, their attempts, what is known of subjects, and the
facts that outcomes are.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from services.notifications.deliveries.domain.delivery import About, Delivery, Evidence, Item, Planned, State
from shared.contracts.notifications.delivery import Channel
from shared.contracts.vocabulary import Visibility
from shared.http.directory_projection import DIRECTORY
from shared.ids import uuid7
from shared.storage.documents import Collection, Index
from shared.storage.repository import Repository

DELIVERIES = "deliveries"
ATTEMPTS = "attempts"
SUBJECTS = "subjects"
KEPT_DAYS = 90
ANSWER_BYTES_MAX = 4_096

delivery_facts = Repository(
    Delivery, collection="delivery_facts", noun="delivery", prefix="dlv", service="notifications"
)

DELIVERIES_KEPT = Collection(
    name=DELIVERIES,
    indexes=(
        # Settled, waiting and parked ones are not in it: what a sender looks through is what is due.
        Index(name="due", keys=(("channel", 1), ("due", 1)), only_where={"state": State.PENDING}),
        # The rule of order itself: two processes that would open a second one meet here.
        Index(name="one_open_a_lane", keys=(("lane", 1),), unique=True, only_where={"open": True}),
        Index(name="waiting", keys=(("lane", 1), ("version", 1)), only_where={"state": State.WAITING}),
        Index(
            name="waiting_since", keys=(("channel", 1), ("queued_at", 1)), only_where={"state": State.WAITING}
        ),
        Index(
            name="parked",
            keys=(("channel", 1), ("target", 1), ("queued_at", 1)),
            only_where={"state": State.PARKED},
        ),
        # Lists end their order with the key, and so do the indexes they are read from.
        Index(name="by_delivery_id", keys=(("delivery_id", 1), ("_id", -1))),
        Index(name="by_event", keys=(("event_id", 1),)),
        Index(name="by_owner", keys=(("owner", 1), ("delivery_id", -1), ("_id", 1))),
        Index(name="by_subject", keys=(("about", 1), ("delivery_id", -1), ("_id", 1))),
        Index(name="dead", keys=(("delivery_id", -1), ("_id", 1)), only_where={"state": State.DEAD}),
        Index(name="purged", keys=(("purge_at", 1),), expire_after_s=0),
    ),
)
ATTEMPTS_KEPT = Collection(
    name=ATTEMPTS,
    indexes=(
        Index(name="of_delivery", keys=(("delivery", 1), ("started_at", 1))),
        Index(name="purged", keys=(("started_at", 1),), expire_after_s=KEPT_DAYS * 86_400),
    ),
)
SUBJECTS_KEPT = Collection(name=SUBJECTS)
# The directory is projected by the kit; who holds a role, and who speaks for a partner, is asked here.
DIRECTORY_SEARCHED = Collection(
    name=DIRECTORY,
    indexes=(
        Index(name="by_role", keys=(("grants.role", 1),)),
        Index(name="by_scope", keys=(("grants.scope", 1),)),
    ),
)

COLLECTIONS = (DELIVERIES_KEPT, ATTEMPTS_KEPT, SUBJECTS_KEPT, DIRECTORY_SEARCHED)


def opened(
    planned: Planned,
    *,
    state: State,
    due: datetime,
    lease: str | None,
    queued_at: datetime,
    correlation_id: str,
    trace: str | None,
    reason: str | None = None,
) -> dict[str, Any]:
    """The document of a new delivery."""
    about = planned.about
    document: dict[str, Any] = {
        "delivery_id": planned.id,
        "channel": planned.channel.value,
        "target": planned.target,
        "recipient": planned.recipient,
        "owner": planned.owner,
        "speaks_for": planned.speaks_for,
        "event_id": about.event_id,
        "event_type": about.event_type,
        "about": about.subject,
        "version": about.version,
        "visibility": about.visibility.value,
        "audience": list(about.audience),
        "content": dict(planned.content),
        "state": state.value,
        "reason": reason,
        "due": due,
        "lease": lease,
        "attempts": 0,
        "queued_at": queued_at,
        "correlation_id": correlation_id,
        "trace": trace,
        "replays": 0,
    }
    if planned.lane is not None:
        document["lane"] = planned.lane
        if state is not State.WAITING:
            document["open"] = True
    return document


def item_of(document: Mapping[str, Any]) -> Item:
    """The delivery as its sender holds it; the document is one whose lease was just taken."""
    return Item(
        key=document["_id"],
        id=document["delivery_id"],
        channel=Channel(document["channel"]),
        target=document["target"],
        recipient=document["recipient"],
        owner=document["owner"],
        about=About(
            event_id=document["event_id"],
            event_type=document["event_type"],
            subject=document["about"],
            version=document["version"],
            visibility=Visibility(document["visibility"]),
            audience=tuple(document["audience"]),
        ),
        content=document["content"],
        speaks_for=document["speaks_for"],
        lane=document.get("lane"),
        attempts=document["attempts"],
        queued_at=document["queued_at"],
        since=document.get("released_at") or document["queued_at"],
        lease=document["lease"],
        leased_until=document["due"],
        correlation_id=document["correlation_id"],
        trace=document["trace"],
        replay_id=document.get("replay_id"),
        replays=document["replays"],
    )


def settled_edit(state: State, reason: str | None, attempts: int, real: datetime) -> dict[str, Any]:
    """What settling does to the document: it leaves every index a sender looks through."""
    return {
        "$set": {
            "state": state.value,
            "reason": reason,
            "attempts": attempts,
            "lease": None,
            "settled_at": real,
            "purge_at": real + timedelta(days=KEPT_DAYS),
        },
        "$unset": {"open": "", "due": ""},
    }


def attempt_row(item: Item, evidence: Evidence, outcome: str) -> dict[str, Any]:
    return {
        "_id": str(uuid7()),
        "delivery": item.key,
        "started_at": evidence.started_at,
        "took_ms": evidence.took_ms,
        "outcome": outcome,
        "error": evidence.error,
        "status": evidence.status,
        "address": evidence.address,
        "answer": evidence.answer[:ANSWER_BYTES_MAX],
        "replay_id": item.replay_id,
    }
