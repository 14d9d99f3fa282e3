"""Which event types somebody asked for: globs on dot segments.

`agreement.*` takes every fact about agreements, `partner.registered.v1` one, `*` all. A star stands for a
whole segment; at the end it stands for all that follow.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from shared.errors import Invalid

TYPES_MAX = 50
_SEGMENT = r"(\*|[a-z0-9_]{1,60})"
_GLOB = re.compile(rf"{_SEGMENT}(\.{_SEGMENT}){{0,2}}", re.ASCII)


@dataclass(frozen=True)
class TypeFilter:
    """In one spelling: sorted, nothing twice. None at all takes every type."""

    globs: tuple[str, ...] = ()

    @classmethod
    def of(cls, globs: Iterable[str]) -> "TypeFilter":
        wanted = tuple(sorted(set(globs)))
        if len(wanted) > TYPES_MAX:
            raise Invalid("too_many_types", "That is more than one filter can name", types_max=TYPES_MAX)
        for glob in wanted:
            if not _GLOB.fullmatch(glob):
                raise Invalid("type_glob_malformed", "Write types as agreement.* or partner.registered.v1")
        return cls(wanted)

    def takes(self, type: str) -> bool:
        return not self.globs or any(_matches(glob, type) for glob in self.globs)


@lru_cache(maxsize=20_000)
def _matches(glob: str, type: str) -> bool:
    wanted, given = glob.split("."), type.split(".")
    if wanted[-1] == "*" and len(wanted) <= len(given):
        wanted, given = wanted[:-1], given[: len(wanted) - 1]
    return len(wanted) == len(given) and all(
        one in ("*", other) for one, other in zip(wanted, given, strict=True)
    )
