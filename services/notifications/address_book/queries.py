"""Looking an address up at the moment it is needed, never earlier: an erasure in between counts."""

from services.notifications.address_book.documents import ADDRESSES
from services.notifications.address_book.domain import Address
from shared.storage.mongo import Mongo


async def address_of(mongo: Mongo, person_id: str) -> Address | None:
    document = await mongo[ADDRESSES].find_one({"_id": person_id, "erased": False})
    if document is None:
        return None
    return Address(
        person_id=person_id,
        name=document["name"],
        email=document["email"],
        language=document["language"],
    )
