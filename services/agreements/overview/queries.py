"""What is read of the overview: the rows of some partners, put together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from shared.storage.mongo import Mongo

DRAFT = "draft"


async def counts_of(
    mongo: Mongo, rows: str, partner_ids: Iterable[str], *, drafts: bool
) -> Mapping[str, dict[str, int]]:
    """How many agreements each of these partners has in each state. A draft is ours alone."""
    wanted = {"partner_id": {"$in": sorted(partner_ids)}, "what": "agreement"}
    hidden = {} if drafts else {"state": {"$ne": DRAFT}}
    pipeline: list[dict[str, Any]] = [
        {"$match": {**wanted, **hidden}},
        {"$group": {"_id": {"partner": "$partner_id", "state": "$state"}, "n": {"$sum": 1}}},
    ]
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for group in await mongo.aggregate(rows, pipeline):
        found[group["_id"]["partner"]][group["_id"]["state"]] = group["n"]
    return found
