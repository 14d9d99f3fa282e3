"""What partners are called, for pages that speak of them by id."""

from collections.abc import Iterable

from services.partners.register.documents import partners
from shared.storage.mongo import Mongo


async def names_of_partners(mongo: Mongo, ids: Iterable[str]) -> dict[str, str]:
    found = mongo[partners.collection].find({"_id": {"$in": sorted(set(ids))}})
    return {document["_id"]: partners.restore(document).legal_name async for document in found}
