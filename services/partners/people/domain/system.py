"""An external system and its keys. A key is shown once, when it is made; here is its SHA-256."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from services.partners.people.domain.scopes import checked
from shared.contracts.envelope import Event
from shared.contracts.partners.person import Scope
from shared.contracts.partners.system import KeyIssued, KeyRevoked, SystemRegistered
from shared.errors import NotFound, Refusal

# The one in use and the one that replaces it: a key is changed without a moment in which neither works.
KEYS_LIVE_MAX = 2
KEYS_EVER_MAX = 200


@dataclass(frozen=True, kw_only=True)
class Key:
    id: str
    sha256: str
    live: bool = True


@dataclass(frozen=True, kw_only=True)
class System:
    id: str
    label: str
    owner_id: str
    scope: tuple[Scope, ...] = ()
    keys: tuple[Key, ...] = ()

    @staticmethod
    def register(id: str, *, label: str, owner_id: str, scope: Iterable[Scope]) -> list[Event]:
        return [SystemRegistered(system_id=id, label=label, owner_id=owner_id, scope=checked(scope))]

    def issue(self, key_id: str, sha256: str) -> list[Event]:
        if len(self.live_keys) >= KEYS_LIVE_MAX:
            raise Refusal("too_many_keys", "Revoke a key before issuing another", keys_live_max=KEYS_LIVE_MAX)
        if len(self.keys) >= KEYS_EVER_MAX:
            raise Refusal("too_many_keys_ever", "Register the system anew", keys_ever_max=KEYS_EVER_MAX)
        return [KeyIssued(system_id=self.id, key_id=key_id, sha256=sha256)]

    def revoke(self, key_id: str, reason: str) -> list[Event]:
        key = next((key for key in self.keys if key.id == key_id), None)
        if key is None:
            raise NotFound("key_not_found", "This system has no such key", id=key_id)
        return [KeyRevoked(system_id=self.id, key_id=key_id, reason=reason)] if key.live else []

    @property
    def live_keys(self) -> tuple[Key, ...]:
        return tuple(key for key in self.keys if key.live)

    @classmethod
    def begin(cls, event: Event) -> "System":
        assert isinstance(event, SystemRegistered), f"A system does not begin with {event.type}"
        return cls(id=event.system_id, label=event.label, owner_id=event.owner_id, scope=event.scope)

    def apply(self, event: Event) -> "System":
        match event:
            case KeyIssued():
                return replace(self, keys=(*self.keys, Key(id=event.key_id, sha256=event.sha256)))
            case KeyRevoked():
                keys = tuple(replace(key, live=False) if key.id == event.key_id else key for key in self.keys)
                return replace(self, keys=keys)
        raise AssertionError(f"A system cannot apply {event.type}")
