"""A reader's place in the feed.

A cursor holds, for each lane, the offset after which to go on, and the hash of the filter it was made under:
the same cursor under another filter would silently skip what the first one left out. It is not signed. Who
invents one reads what they may read anyway, from another place on, since every reading checks anew what its
reader may know; and a key that signs cursors could never be changed without losing every reader's place.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.notifications.deliveries.domain.types import TypeFilter
from shared.errors import Malformed

CURSOR_CHARACTERS_MAX = 8_000
LANES_MAX = 500
NOTHING_READ = -1

_Lane = Annotated[str, Field(pattern=r"^[a-z0-9.:]{1,80}$")]
_Offset = Annotated[int, Field(ge=NOTHING_READ, lt=2**53)]


@dataclass(frozen=True, kw_only=True)
class Place:
    """`after`: the last offset passed in each lane. A lane it does not name is read from its start."""

    filter_hash: str
    after: Mapping[str, int] = field(default_factory=dict)

    def in_lane(self, lane: str) -> int:
        return self.after.get(lane, NOTHING_READ)

    def cursor(self) -> str:
        plain = _Cursor(v=1, filter=self.filter_hash, after=dict(sorted(self.after.items())))
        return base64.urlsafe_b64encode(plain.model_dump_json().encode()).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str, wanted: TypeFilter) -> "Place":
        """The place a cursor names, if it was made under the same filter."""
        try:
            if len(text) > CURSOR_CHARACTERS_MAX:
                raise ValueError("longer than any of ours")
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            plain = _Cursor.model_validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, binascii.Error, ValidationError):
            raise Malformed("cursor_malformed", "This is no cursor that we gave out") from None
        if plain.filter != filter_hash(wanted):
            raise Malformed("cursor_of_other_filter", "This cursor was made for other types; start anew")
        return cls(filter_hash=plain.filter, after=plain.after)


class _Cursor(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    v: int = Field(ge=1, le=1)
    filter: str = Field(pattern=r"^[0-9a-f]{16}$")
    after: dict[_Lane, _Offset] = Field(max_length=LANES_MAX)


def filter_hash(wanted: TypeFilter) -> str:
    return hashlib.sha256("\n".join(wanted.globs).encode()).hexdigest()[:16]
