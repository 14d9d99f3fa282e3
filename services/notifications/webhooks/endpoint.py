"""A webhook endpoint: whose it is, which types it wants, and whether it is sent anything.

Its address and its secrets are not part of it: they stand beside, sealed, and in no event. A secret is shown
once, when it is made.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.notifications.deliveries.domain.types import TypeFilter
from shared.contracts.envelope import Event
from shared.contracts.notifications.endpoint import (
    EndpointDisabled,
    EndpointEnabled,
    EndpointRegistered,
    EndpointSecretRotated,
)
from shared.errors import Invalid

GRACE_S_USUAL = 86_400
GRACE_S_MAX = 7 * 86_400
GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    id: str
    owner_id: str
    types: tuple[str, ...]
    disabled_because: str | None = None
    rotations: int = 0

    @classmethod
    def register(cls, id: str, *, owner_id: str, types: Iterable[str]) -> list[Event]:
        wanted = TypeFilter.of(types)
        if not wanted.globs:
            raise Invalid("types_missing", "Say which types of events you want; * is all of them")
        return [EndpointRegistered(endpoint_id=id, owner_id=owner_id, types=wanted.globs)]

    def rotate(self, grace_s: int) -> list[Event]:
        """A new secret; the old one still signs beside it until the grace ends. None at all for a leak."""
        if not 0 <= grace_s <= GRACE_S_MAX:
            raise Invalid("grace_too_long", "The old secret may go on for a week at most", s_max=GRACE_S_MAX)
        return [EndpointSecretRotated(endpoint_id=self.id, owner_id=self.owner_id, grace_s=grace_s)]

    def disable(self, reason: str) -> list[Event]:
        if self.disabled_because is not None:
            return []
        return [EndpointDisabled(endpoint_id=self.id, owner_id=self.owner_id, reason=reason)]

    def enable(self, reason: str) -> list[Event]:
        """What was kept for it meanwhile goes out now, in order."""
        if self.disabled_because is None:
            return []
        return [EndpointEnabled(endpoint_id=self.id, owner_id=self.owner_id, reason=reason)]

    @classmethod
    def begin(cls, event: Event) -> "Endpoint":
        if isinstance(event, EndpointRegistered):
            return cls(id=event.endpoint_id, owner_id=event.owner_id, types=event.types)
        raise AssertionError(f"An endpoint does not begin with {event.type}")

    def apply(self, event: Event) -> "Endpoint":
        match event:
            case EndpointDisabled():
                return replace(self, disabled_because=event.reason)
            case EndpointEnabled():
                return replace(self, disabled_because=None)
            case EndpointSecretRotated():
                return replace(self, rotations=self.rotations + 1)
        raise AssertionError(f"An endpoint cannot apply {event.type}")
