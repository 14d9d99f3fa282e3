"""Collections as data: each room's documents.py says which it keeps and how they are indexed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Refusal
from shared.storage.mongo import Mongo


@dataclass(frozen=True, kw_only=True)
class Index:
    """`refusal`: what a caller is told when this unique index would not have their document."""

    name: str
    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    only_where: dict[str, Any] | None = None
    expire_after_s: int | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class Collection:
    name: str
    indexes: tuple[Index, ...] = field(default=())


async def create_indexes(mongo: Mongo, collections: Iterable[Collection]) -> None:
    for collection in collections:
        for index in collection.indexes:
            options: dict[str, Any] = {"name": index.name, "unique": index.unique}
            if index.only_where is not None:
                options["partialFilterExpression"] = index.only_where
            if index.expire_after_s is not None:
                options["expireAfterSeconds"] = index.expire_after_s
            await mongo[collection.name].create_index(list(index.keys), **options)
