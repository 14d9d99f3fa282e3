"""CloudEvents 1.0 in structured JSON: the one form in which a fact leaves the domain.

`seal` makes the bytes, once, when the event is written. The log keeps those bytes, the relay sends them,
consumers open them, webhooks and the feed sign and send them. Nothing serialises an event a second time, so a
hash or a signature over the bytes holds for ever.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from shared.contracts.vocabulary import Visibility

CONTENT_TYPE = "application/cloudevents+json"
PAYLOAD_BYTES_MAX = 256 * 1024
GENESIS = bytes(32)


class Event(BaseModel):
    """A fact, in the past tense. Readers ignore fields they do not know; an aggregate never ignores its own
    events.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    visibility: ClassVar[Visibility] = Visibility.SECRETARIAT
    example: ClassVar[dict[str, Any]]

    def audience(self) -> tuple[str, ...]:
        """Who may learn of it where it is not public: `partner:ptn_…`, `state:KEN`, `person:prs_…`."""
        return ()


class Unreadable(Exception):
    """Bytes that are no envelope of ours. `reason` is a stable word, for whoever looks at parked messages."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: str = Field(pattern=r"^1\.0$")
    id: str = Field(min_length=1, max_length=64)
    source: str
    type: str = Field(pattern=r"^[a-z_]+\.[a-z_]+\.v[0-9]+$", max_length=100)
    subject: str = Field(min_length=1, max_length=100)
    time: datetime
    recordedtime: datetime
    sequence: str = Field(pattern=r"^[0-9]{12}$")
    partitionkey: str
    visibility: Visibility
    audience: str = ""
    actor: str
    onbehalfof: str | None = None
    policyref: str | None = None
    correlationid: str
    causationid: str | None = None
    traceparent: str | None = None
    data: dict[str, Any]

    @property
    def version(self) -> int:
        return int(self.sequence)

    @property
    def audiences(self) -> tuple[str, ...]:
        return tuple(self.audience.split())


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a command knows of itself that its events must carry."""

    actor: str
    time: datetime
    recorded_at: datetime
    correlation_id: str
    causation_id: str | None = None
    on_behalf_of: str | None = None
    traceparent: str | None = None


def seal(event: Event, *, id: str, source: str, subject: str, version: int, provenance: Provenance) -> bytes:
    """The bytes of an event. Attributes that have no value are absent, as CloudEvents asks."""
    optional = {
        "audience": " ".join(event.audience()),
        "onbehalfof": provenance.on_behalf_of,
        "policyref": getattr(event, "policyref", None),
        "causationid": provenance.causation_id,
        "traceparent": provenance.traceparent,
    }
    return to_json(
        {
            "specversion": "1.0",
            "id": id,
            "source": source,
            "type": event.type,
            "subject": subject,
            "time": wire_time(provenance.time),
            "datacontenttype": "application/json",
            "dataschema": f"{source}/v1/event-types/{event.type}",
            "sequence": f"{version:012d}",
            "partitionkey": subject,
            "recordedtime": wire_time(provenance.recorded_at),
            "visibility": event.visibility,
            "actor": provenance.actor,
            "correlationid": provenance.correlation_id,
            **{name: value for name, value in optional.items() if value},
            "data": event.model_dump(mode="json"),
        }
    )


def open_envelope(body: bytes) -> Envelope:
    """The envelope in these bytes, or Unreadable with the reason."""
    if not body:
        raise Unreadable("empty", "a record without a value")
    try:
        if b"NaN" in body or b"Infinity" in body:
            json.loads(body, parse_constant=_refuse_constant)
        return Envelope.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        reason = "not_json" if first["type"] == "json_invalid" else "not_an_envelope"
        raise Unreadable(reason, f"{'.'.join(map(str, first['loc']))} {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise Unreadable("not_json", str(error)[:200]) from error


def wire_time(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds: one spelling, so that texts sort as instants do."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def chain(previous: bytes, body: bytes) -> bytes:
    """The next link of a stream's hash chain."""
    return hashlib.sha256(previous + body).digest()


def _refuse_constant(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
