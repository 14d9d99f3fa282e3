"""A form that came after its session had ended is kept for a day and shown again after the sign-in, so that
nobody types it twice. It is kept sealed under a key that only its address has.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime

from bson.binary import Binary

from shared.storage.documents import Collection, Index
from shared.storage.mongo import Mongo
from shared.web.sessions import Seal

KEPT_S = 86_400
ID_BYTES = 24

KEPT_FORMS = Collection(
    name="kept_forms", indexes=(Index(name="kept_for_a_day", keys=(("at", 1),), expire_after_s=KEPT_S),)
)


async def keep(
    mongo: Mongo, service: str, address: str, sent: Mapping[str, str], *, whose: str, now: datetime
) -> str:
    """The address under which the form waits. `whose`: the subject that it waits for; empty: anybody's who
    has the address.
    """
    id = secrets.token_urlsafe(ID_BYTES)
    plain = {"address": address, "whose": whose, "sent": json.dumps(dict(sent))}
    document = {"_id": _id(id), "sealed": Seal(id, "kept form").close(plain), "at": now}
    await mongo[KEPT_FORMS.name].insert_one(document)
    return f"/{service}/kept-forms/{id}"


async def kept(mongo: Mongo, id: str, *, whose: str) -> tuple[str, dict[str, str]] | None:
    """The address it was sent to, and its fields; None: it is not kept any more, or waits for another."""
    document = await mongo[KEPT_FORMS.name].find_one({"_id": _id(id)})
    plain = Seal(id, "kept form").open(document["sealed"]) if document else None
    if plain is None or plain["whose"] not in ("", whose):
        return None
    return plain["address"], json.loads(plain["sent"])


def _id(id: str) -> Binary:
    return Binary(hashlib.sha256(id.encode()).digest())
