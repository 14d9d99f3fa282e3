"""What a record of a topic turns out to be when it is opened: a fact, or unreadable and why."""

from dataclasses import dataclass

from shared.contracts import catalogue
from shared.contracts.envelope import PAYLOAD_BYTES_MAX, Event, Unreadable, open_envelope
from shared.messaging.parked import RawRecord
from shared.messaging.subscription import Received


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A fact of a type we know (`event`) or do not know yet, or `unreadable`. Versions begin at 1; 0 is
    none.
    """

    record: RawRecord
    subject: str
    version: int = 0
    id: str = ""
    received: Received | None = None
    event: Event | None = None
    unreadable: Unreadable | None = None


def opened(record: RawRecord) -> Opened:
    try:
        return _fact(record)
    except Unreadable as unreadable:
        return Opened(record=record, subject=record.sequence, unreadable=unreadable)


def _fact(record: RawRecord) -> Opened:
    if len(record.value) > PAYLOAD_BYTES_MAX:
        raise Unreadable("too_large", f"{len(record.value)} bytes")
    envelope = open_envelope(record.value)
    if envelope.version == 0:
        raise Unreadable("not_an_envelope", "versions begin at 1")
    event = catalogue.event_of(envelope) if envelope.type in catalogue.EVENTS else None
    received = Received(
        envelope=envelope,
        body=record.value,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
    return Opened(
        record=record,
        subject=envelope.subject,
        version=envelope.version,
        id=envelope.id,
        received=received,
        event=event,
    )
