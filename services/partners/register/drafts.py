"""Drafts as they are kept: plain documents of whoever began them, and nobody else's to know of."""

from typing import Any

from pydantic import TypeAdapter

from services.partners.register.documents import DRAFTS
from services.partners.register.domain.draft import DRAFTS_MAX, Draft
from shared.errors import NotFound, Refusal
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit

_ADAPTER = TypeAdapter(Draft)


async def my_draft(unit: Unit, id: str) -> Draft:
    """The version that a form was made of is looked at here, as a repository does for an aggregate."""
    document = await unit.get(DRAFTS.name, id)
    if document is None or document["owner_id"] != unit.context.actor.id:
        raise NotFound(
            "draft_not_found",
            "There is no such draft: it was sent, or discarded, or nobody touched it for 90 days",
            id=id[:64],
        )
    unit.check_if_match(document["version"])
    return _draft(document)


async def drafts_of(mongo: Mongo, owner_id: str) -> list[Draft]:
    """Those that were touched last come first."""
    found = mongo[DRAFTS.name].find({"owner_id": owner_id}).sort("touched_at", -1).limit(DRAFTS_MAX)
    return [_draft(document) async for document in found]


async def require_room(unit: Unit) -> None:
    """Not exact when somebody begins two at once, and need not be."""
    count = await unit.mongo[DRAFTS.name].count_documents(
        {"owner_id": unit.context.actor.id}, limit=DRAFTS_MAX
    )
    if count >= DRAFTS_MAX:
        raise Refusal("too_many_drafts", "Send or discard a draft before you begin another", max=DRAFTS_MAX)


def add(unit: Unit, draft: Draft) -> None:
    unit.change.insert(DRAFTS.name, _document(draft))


def change(unit: Unit, before: Draft, after: Draft) -> Draft:
    """Where somebody else was first, this is a conflict and is decided anew."""
    document = _document(after)
    del document["_id"]
    unit.change.edit(DRAFTS.name, {"_id": before.id, "version": before.version}, {"$set": document})
    return after


def remove(unit: Unit, draft: Draft) -> None:
    unit.change.remove(DRAFTS.name, {"_id": draft.id, "version": draft.version})


def _document(draft: Draft) -> dict[str, Any]:
    plain: dict[str, Any] = _ADAPTER.dump_python(draft)
    plain["_id"] = plain.pop("id")
    if draft.kind is not None:
        plain["kind"] = draft.kind.value
    return plain


def _draft(document: dict[str, Any]) -> Draft:
    return _ADAPTER.validate_python({**document, "id": document["_id"]})
