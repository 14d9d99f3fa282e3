"""What somebody has written of an agreement that is not drafted yet: a plain document of theirs alone.

It has no events and no text by its hash, so leaving it leaves nothing. Each answer is kept as it comes; the
last step drafts the agreement and removes the outline in one change. One that nobody has begun anew for a
long time goes by itself.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self

from services.agreements.instruments.commands import DraftAgreement
from shared.contracts.agreements.agreement import AgreementKind
from shared.errors import NotFound
from shared.ids import is_id, new_id
from shared.storage.documents import Collection, Index
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit

PREFIX = "out"
KEPT_S = 90 * 86_400

OUTLINES = Collection(
    name="outlines",
    indexes=(
        Index(name="of_author", keys=(("author_id", 1), ("_id", 1))),
        Index(name="kept_for_a_while", keys=(("begun_at", 1),), expire_after_s=KEPT_S),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Outline:
    """Empty or absent is what has not been said yet. Without a first day an agreement begins with the last
    signature, so `ends_on` alone says whether its dates are known.
    """

    id: str
    version: int
    author_id: str
    partner_id: str
    kind: AgreementKind | None
    title: str
    text: str
    starts_on: date | None
    ends_on: date | None
    begun_at: datetime

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        starts_on, ends_on = document["starts_on"], document["ends_on"]
        return cls(
            id=document["_id"],
            version=document["version"],
            author_id=document["author_id"],
            partner_id=document["partner_id"],
            kind=document["kind"] and AgreementKind(document["kind"]),
            title=document["title"],
            text=document["text"],
            starts_on=starts_on and date.fromisoformat(starts_on),
            ends_on=ends_on and date.fromisoformat(ends_on),
            begun_at=document["begun_at"],
        )

    @property
    def open_question(self) -> str:
        """The first that is still to be answered; `check` where all are."""
        answers = {"title": self.title and self.kind, "text": self.text, "dates": self.ends_on}
        return next((question for question, answer in answers.items() if not answer), "check")

    def command(self) -> DraftAgreement:
        assert self.kind is not None and self.ends_on is not None, "asked for once every question is answered"
        return DraftAgreement(
            partner_id=self.partner_id,
            kind=self.kind,
            title=self.title,
            text=self.text,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
        )


def begin(unit: Unit, partner_id: str) -> str:
    id = new_id(PREFIX)
    said = dict.fromkeys(("kind", "starts_on", "ends_on")) | dict.fromkeys(("title", "text"), "")
    whose = {"_id": id, "version": 1, "author_id": unit.context.actor.id, "partner_id": partner_id}
    unit.change.insert(OUTLINES.name, {**whose, **said, "begun_at": unit.context.recorded_at})
    return id


async def own(unit: Unit, id: str) -> Outline:
    """404 also for another's."""
    document = await unit.get(OUTLINES.name, id) if is_id(id, PREFIX) else None
    if document is None or document["author_id"] != unit.context.actor.id:
        raise NotFound("outline_not_found", "This draft has been saved or discarded, or is somebody else's")
    outline = Outline.of(document)
    unit.check_if_match(outline.version)
    return outline


def answer(unit: Unit, outline: Outline, **said: AgreementKind | date | str | None) -> Outline:
    """As it then is. Days are kept as texts: the database has no day without a time."""
    plain = {name: None if value is None else str(value) for name, value in said.items()}
    condition = {"_id": outline.id, "version": outline.version}
    unit.change.edit(OUTLINES.name, condition, {"$set": plain, "$inc": {"version": 1}})
    return replace(outline, **said)  # type: ignore[arg-type]


def remove(unit: Unit, outline: Outline) -> None:
    unit.change.remove(OUTLINES.name, {"_id": outline.id, "version": outline.version})


async def of_author(mongo: Mongo, author_id: str, limit: int) -> list[Outline]:
    """The latest first."""
    cursor = mongo[OUTLINES.name].find({"author_id": author_id}).sort("_id", -1).limit(limit)
    return [Outline.of(document) async for document in cursor]
