"""Lists are read page by page: a cursor says after which item to go on, and is nobody's business but ours.

A cursor holds the sort key of the last item, so a page costs the same wherever it is, and items that come or
go meanwhile neither repeat nor hide others. It is not signed: whoever changes it reads another part of a list
that they may read anyway, since the query beside it is made anew for each request.

Every sort key must have a value in every document, of one type: the database compares within a type only.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic_core import to_json

from shared.contracts.envelope import wire_time
from shared.errors import Malformed
from shared.http.bodies import Answer
from shared.http.json_reading import read_json

LIMIT_MAX = 200
LIMIT_USUAL = 50
CURSOR_LENGTH_MAX = 1_000

T = TypeVar("T")
Sort = Sequence[tuple[str, int]]


class Page(Answer, Generic[T]):
    """`next` is the cursor of the page after this one; null where this is the last."""

    items: list[T]
    next: str | None


@dataclass(frozen=True)
class Cursor:
    """The sort key of the last item that was given out."""

    key: tuple[Any, ...]

    def __str__(self) -> str:
        plain = [{"at": wire_time(one)} if isinstance(one, datetime) else one for one in self.key]
        return base64.urlsafe_b64encode(to_json(plain)).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> "Cursor":
        try:
            if len(text) > CURSOR_LENGTH_MAX:
                raise ValueError("longer than any of ours")
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            key = read_json(base64.b64decode(padded, altchars=b"-_", validate=True))
            return cls(tuple(_value(one) for one in _as_list(key)))
        except (ValueError, OverflowError, binascii.Error, Malformed):
            raise _malformed() from None


@dataclass(frozen=True, kw_only=True)
class PageAsked:
    limit: int = LIMIT_USUAL
    cursor: Cursor | None = None


async def _asked(
    limit: Annotated[
        int, Query(ge=1, le=LIMIT_MAX, description="How many items a page has at most.")
    ] = LIMIT_USUAL,
    cursor: Annotated[str | None, Query(description="`next` of the page before, unchanged.")] = None,
) -> PageAsked:
    return PageAsked(limit=limit, cursor=None if cursor is None else Cursor.read(cursor))


# A parameter of a route that answers with a page: `async def list_partners(paging: Paging, work: Work)`.
Paging = Annotated[PageAsked, Depends(_asked)]


async def page_of(
    collection: Any,
    query: Mapping[str, Any],
    *,
    paging: PageAsked,
    make: Callable[[dict[str, Any]], T],
    sort: Sort = (("_id", 1),),
    projection: Mapping[str, Any] | None = None,
) -> Page[T]:
    """One page of the documents that meet `query`. `_id` ends the sort key, so that no two are equal."""
    sort = list(sort) if sort[-1][0] == "_id" else [*sort, ("_id", 1)]
    wanted = query if paging.cursor is None else {"$and": [query, after(paging.cursor, sort)]}
    documents = await (
        collection.find(wanted, projection)
        .sort(list(sort))
        .limit(paging.limit + 1)
        .to_list(length=paging.limit + 1)
    )
    items = documents[: paging.limit]
    more = len(documents) > len(items)
    return Page(
        items=[make(document) for document in items], next=str(_cursor_at(items[-1], sort)) if more else None
    )


def after(cursor: Cursor, sort: Sort) -> dict[str, Any]:
    """The condition of what comes after the cursor: later in the first key, or equal there and later in the
    second, and so on.
    """
    if len(cursor.key) != len(sort):
        raise _malformed()
    conditions = []
    for position, ((field, direction), value) in enumerate(zip(sort, cursor.key, strict=True)):
        equal = {sort[before][0]: cursor.key[before] for before in range(position)}
        conditions.append({**equal, field: {"$gt" if direction > 0 else "$lt": value}})
    return {"$or": conditions}


def _cursor_at(document: Mapping[str, Any], sort: Sort) -> Cursor:
    key = []
    for field, _ in sort:
        value: Any = document
        for step in field.split("."):
            value = value[step]
        assert value is not None, f"{field} is null somewhere, so it cannot be sorted by"
        key.append(value)
    return Cursor(tuple(key))


def _as_list(key: Any) -> list[Any]:
    if not isinstance(key, list) or not key:
        raise ValueError("no list")
    return key


def _value(plain: Any) -> str | int | float | datetime:
    """Values and nothing else: an object here would become a part of the query."""
    if isinstance(plain, dict) and list(plain) == ["at"] and isinstance(plain["at"], str):
        instant = datetime.fromisoformat(plain["at"])
        if instant.tzinfo is None:
            raise ValueError("an instant without a zone")
        return instant.astimezone(UTC)
    if isinstance(plain, str | int | float):
        return plain
    raise ValueError("no value")


def _malformed() -> Malformed:
    return Malformed("cursor_malformed", "This is no cursor that we gave out")
