"""What a room hears: a topic, and for each fact it knows what to do with it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.contracts.envelope import Envelope, Event

if TYPE_CHECKING:
    from shared.storage.repository import Unit


@dataclass(frozen=True, kw_only=True)
class Received:
    """One record of a topic, opened. `body` are the bytes as they were written."""

    envelope: Envelope
    body: bytes
    topic: str
    partition: int
    offset: int


OnEvent = Callable[[Any, Received, "Unit"], Awaitable[None]]
OnRecord = Callable[[Received, "Unit"], Awaitable[None]]
# Which documents a batch will ask for: ids by collection, read at once instead of one by one.
Prefetch = Callable[[Sequence[Received]], Mapping[str, Iterable[object]]]


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """`handlers` get the facts of their types; `on_every` gets each record, whatever its type, known to us or
    not.
    """

    purpose: str
    topic: str
    handlers: Mapping[type[Event], OnEvent] = field(default_factory=dict)
    on_every: OnRecord | None = None
    prefetch: Prefetch | None = None
    # It gives way to nothing: commands are decided by what it keeps.
    urgent: bool = False
    # The kinds of id (`ptn`) whose streams hold the facts it handles: of other streams nothing is kept.
    # Absent: they may be in any.
    streams: frozenset[str] | None = None

    def concerns(self, key: bytes | None) -> bool:
        """What has no proper key is looked at: it must be parked, not passed over."""
        kind, has_kind, _ = (key or b"").partition(b"_")
        return self.streams is None or not has_kind or kind.decode("ascii", "replace") in self.streams
