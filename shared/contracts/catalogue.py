"""Every event of the house. What is not listed here cannot be saved; docs/reference/events.md is made from
it.
"""

from typing import Any

from pydantic import ValidationError

from shared.contracts.agreements import agreement
from shared.contracts.envelope import Envelope, Event, Unreadable
from shared.contracts.notifications import delivery, endpoint, task
from shared.contracts.partners import partner, person, system

EVENTS: dict[str, type[Event]] = {
    event.type: event
    for room in (person, system, partner, agreement, task, delivery, endpoint)
    for event in room.EVENTS
}


def require(event: type[Event]) -> None:
    if EVENTS.get(event.type) is not event:
        raise LookupError(f"{event.__name__} is not in the catalogue: add it to its noun's EVENTS")


def event_of(envelope: Envelope) -> Event:
    """The fact in an envelope. A type of ours whose data does not fit is Unreadable: it will not get better
    by waiting.
    """
    kind = EVENTS.get(envelope.type)
    if kind is None:
        raise Unreadable("unknown_type", envelope.type)
    try:
        return kind.model_validate(envelope.data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise Unreadable("data_does_not_fit", f"{envelope.type}: {first['loc']} {first['msg']}") from error


def json_schema(kind: type[Event]) -> dict[str, Any]:
    return kind.model_json_schema(mode="serialization")
