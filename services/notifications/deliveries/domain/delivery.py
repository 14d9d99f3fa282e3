"""A delivery, as it is planned, as it is sent, and as the facts that its outcome leaves.

The document of a delivery is where the work is done and where its state is looked up; it is written often and
is not a stream. Only the outcome is a fact that others rely on, so the aggregate begins when a delivery
settles: accepted, or exhausted. A replay that an owner asks for may settle it once more.
"""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared.contracts.envelope import Envelope, Event
from shared.contracts.notifications.delivery import Channel, DeliveryAccepted, DeliveryExhausted
from shared.contracts.vocabulary import Visibility

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID_CHARACTERS = 26


class State(StrEnum):
    # Due at an instant. One that is being sent is pending too, with a lease that has not run out.
    PENDING = "pending"
    # Behind an earlier one to the same endpoint about the same subject.
    WAITING = "waiting"
    # Kept for a target that takes nothing now: disabled, resting after failures, or busy.
    PARKED = "parked"
    # Taken by the other side. For e-mail that is not yet the reader's mailbox, hence a word of its own.
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    DEAD = "dead"
    # The recipient may not know of it any more.
    SUPPRESSED = "suppressed"


SETTLED = frozenset({State.DELIVERED, State.ACCEPTED, State.DEAD, State.SUPPRESSED})


@dataclass(frozen=True, kw_only=True)
class About:
    """The event that a delivery tells of, and who may know of it."""

    event_id: str
    event_type: str
    subject: str
    version: int
    visibility: Visibility
    audience: tuple[str, ...]

    @classmethod
    def of(cls, envelope: Envelope, *named: str) -> "About":
        """`named`: persons the event is addressed to by its nature, beside those its audience lists."""
        return cls(
            event_id=envelope.id,
            event_type=envelope.type,
            subject=envelope.subject,
            version=envelope.version,
            visibility=envelope.visibility,
            audience=(*envelope.audiences, *(f"person:{id}" for id in named)),
        )


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A delivery that is to be. `target` is what has a capacity of its own: an endpoint, or the channel."""

    source: str
    channel: Channel
    target: str
    recipient: str
    # Whose delivery it is: the recipient's own, or the owner's of the endpoint.
    owner: str
    about: About
    # What the channel needs beyond the event's bytes: the words' key and values, the rule's version.
    content: Mapping[str, str] = field(default_factory=dict)
    # Whom a contact person speaks for: they are in no directory.
    speaks_for: str | None = None
    in_order: bool = False

    @property
    def key(self) -> str:
        """The same event planned again for the same recipient is the same delivery."""
        own = () if self.source == self.recipient else (self.recipient,)
        return ":".join((self.source, self.about.event_id, *own))

    @property
    def id(self) -> str:
        return delivery_id(self.key, self.about.event_id)

    @property
    def lane(self) -> str | None:
        return f"{self.target}|{self.about.subject}" if self.in_order else None


@dataclass(frozen=True, kw_only=True)
class Item:
    """An open delivery in a sender's hands, until its lease runs out."""

    key: str
    id: str
    channel: Channel
    target: str
    recipient: str
    owner: str
    about: About
    content: Mapping[str, str]
    speaks_for: str | None
    lane: str | None
    attempts: int
    queued_at: datetime
    # Since when it could have been delivered: what was kept for a disabled endpoint is not old.
    since: datetime
    lease: str
    leased_until: datetime
    correlation_id: str
    trace: str | None
    replay_id: str | None = None
    replays: int = 0


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one attempt showed: kept beside the delivery, append-only, for a while."""

    started_at: datetime
    took_ms: int
    error: str | None = None
    status: int | None = None
    address: str | None = None
    answer: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The other side took it. `state` says in which sense."""

    state: State
    evidence: Evidence | None = None


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    reason: str
    evidence: Evidence | None = None
    state: State = State.DEAD


@dataclass(frozen=True, kw_only=True)
class Again:
    """Try again after a while. A fault of ours does not count as an attempt."""

    after_s: float
    reason: str
    evidence: Evidence | None = None
    counts: bool = True


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """The target takes nothing now; its channel releases the delivery when it does."""

    reason: str
    evidence: Evidence | None = None


Result = Taken | GivenUp | Again | SetAside


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What became of a delivery."""

    id: str
    accepted: bool
    attempts: int

    @classmethod
    def begin(cls, event: Event) -> "Delivery":
        match event:
            case DeliveryAccepted() | DeliveryExhausted():
                return cls(
                    id=event.delivery_id,
                    accepted=isinstance(event, DeliveryAccepted),
                    attempts=event.attempts,
                )
        raise AssertionError(f"A delivery does not begin with {event.type}")

    def apply(self, event: Event) -> "Delivery":
        settled = Delivery.begin(event)
        return replace(settled, id=self.id)


def settle(item: Item, result: Taken | GivenUp, now: datetime) -> list[Event]:
    """The fact that this outcome is."""
    told = {
        "delivery_id": item.id,
        "event_id": item.about.event_id,
        "event_type": item.about.event_type,
        "about": item.about.subject,
        "channel": item.channel,
        "recipient": item.recipient,
    }
    if isinstance(result, Taken):
        return [DeliveryAccepted(**told, accepted_at=now, attempts=attempts_after(item, result))]
    attempts = attempts_after(item, result)
    return [DeliveryExhausted(**told, attempts=attempts, reason=result.reason, at=now)]


def attempts_after(item: Item, result: Result) -> int:
    """What was not attempted does not count, and neither does what failed through us."""
    match result:
        case Taken():
            return item.attempts + 1
        case GivenUp() | SetAside():
            return item.attempts + (result.evidence is not None)
        case Again():
            return item.attempts + result.counts


def delivery_id(key: str, event_id: str) -> str:
    """An id that the key gives, sorted by the moment of the event like every other id."""
    digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:10], "big")
    moment = uuid.UUID(event_id).int >> 80
    number = moment << 80 | 0x7 << 76 | (digest >> 68) << 64 | 0b10 << 62 | digest & ((1 << 62) - 1)
    shifts = range((_ID_CHARACTERS - 1) * 5, -1, -5)
    return "dlv_" + "".join(_ALPHABET[number >> shift & 31] for shift in shifts)
