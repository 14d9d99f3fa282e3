"""What we know of a partner. Every command that relies on it asserts the version it read, so a suspension
that is recorded first is never overlooked.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from shared.contracts.partners.partner import PartnerRegistered
from shared.contracts.vocabulary import PartnerKind

STANDINGS = "standings"
# The timer that brings a partner's agreements in line with its standing, chunk by chunk.
FOLLOW_STANDING = "follow_standing"


class Standing(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, kw_only=True)
class PartnerStanding:
    """`version` and `as_of` are those of the partner's event that was heard last.

    `suspended_by` is the id of the event that suspended the partner, and absent while it is active.
    """

    id: str
    version: int
    legal_name: str
    kind: PartnerKind
    country: str
    standing: Standing
    as_of: datetime
    suspended_by: str | None = None

    @classmethod
    def registered(cls, event: PartnerRegistered, *, version: int, as_of: datetime) -> Self:
        return cls(
            id=event.partner_id,
            version=version,
            legal_name=event.legal_name,
            kind=event.kind,
            country=event.country,
            standing=Standing.ACTIVE,
            as_of=as_of,
        )

    def suspended(self, by: str, *, version: int, as_of: datetime) -> Self:
        return replace(self, standing=Standing.SUSPENDED, suspended_by=by, version=version, as_of=as_of)

    def reinstated(self, *, version: int, as_of: datetime) -> Self:
        return replace(self, standing=Standing.ACTIVE, suspended_by=None, version=version, as_of=as_of)

    @property
    def is_suspended(self) -> bool:
        return self.standing is Standing.SUSPENDED

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        return cls(
            id=document["_id"],
            version=document["version"],
            legal_name=document["legal_name"],
            kind=PartnerKind(document["kind"]),
            country=document["country"],
            standing=Standing(document["standing"]),
            as_of=document["as_of"],
            suspended_by=document["suspended_by"],
        )

    def document(self) -> dict[str, Any]:
        fields = asdict(self)
        return {"_id": fields.pop("id"), **fields, "kind": str(self.kind), "standing": str(self.standing)}
