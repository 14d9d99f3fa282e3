"""Who asks, on whose behalf, and when: what every decision gets besides the command itself."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.contracts.vocabulary import Grant, may


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, a system with a key, or the house itself (`system:<what>`)."""

    id: str
    grants: tuple[Grant, ...] = ()
    language: str = "en"
    zone: str = "UTC"
    # They signed out everywhere: a browser's session that began before has ended.
    sessions_from: datetime | None = None

    def may(self, permission: str) -> bool:
        return may(self.grants, permission)

    def scopes(self, permission: str, kind: str) -> frozenset[str] | None:
        """What the actor's permission is limited to: ids of that kind, or None where it has no limit."""
        found: set[str] = set()
        for grant in self.grants:
            if not may((grant,), permission):
                continue
            if not grant.scope:
                return None
            found.update(value for key, value in grant.scope if key == kind)
        return frozenset(found)


@dataclass(frozen=True, kw_only=True)
class Context:
    actor: Actor
    now: datetime
    recorded_at: datetime
    correlation_id: str
    causation_id: str | None = None
    on_behalf_of: str | None = None
    traceparent: str | None = None
    if_match: int | None = field(default=None)


def system_actor(what: str) -> Actor:
    return Actor(id=f"system:{what}")
