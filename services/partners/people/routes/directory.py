"""What the other services of the house ask: what somebody may do now, and where to write to a person."""

from typing import Annotated

from fastapi import Query

from services.partners.people import queries
from services.partners.people.commands import SUBJECT_LENGTH_MAX
from services.partners.people.queries import OwnDirectory
from shared.errors import Invalid, NotFound
from shared.http.app import INTERNAL, Answer, Routes, Work
from shared.http.directory_remote import DirectoryOut

routes = Routes("partners", room="people")

KEY_ID_LENGTH_MAX = 64
SHA256_HEX = "^[0-9a-f]{64}$"


class PersonContactOut(Answer):
    id: str
    name: str
    email: str
    language: str


@routes.get("/directory", may=INTERNAL)
async def read_directory(
    work: Work,
    subject: Annotated[str | None, Query(max_length=SUBJECT_LENGTH_MAX)] = None,
    key_id: Annotated[str | None, Query(max_length=KEY_ID_LENGTH_MAX)] = None,
    key_sha256: Annotated[str | None, Query(pattern=SHA256_HEX)] = None,
) -> DirectoryOut:
    """By `subject`, or by `key_id` and `key_sha256`. Delegations are worked out as of now."""
    directory = OwnDirectory(work.mongo, lambda: work.context.now)
    if subject is not None:
        actor = await directory.by_subject("", subject)
    elif key_id is not None and key_sha256 is not None:
        actor = await directory.by_key(key_id, key_sha256)
    else:
        raise Invalid("directory_asked_for_nobody", "Name a subject, or a key's id and its SHA-256")
    if actor is None:
        raise NotFound("not_in_directory", "Nobody here is known by that")
    return DirectoryOut.of(actor)


@routes.get("/people/{id}/contact", may=INTERNAL)
async def read_contact(id: str, work: Work) -> PersonContactOut:
    """404 where there is nothing: never there, or erased. Whoever keeps a copy drops it then."""
    kept = await queries.details_of(work.mongo, id)
    if kept is None:
        raise NotFound("contact_not_found", "There is no such person, or their details were erased")
    return PersonContactOut(id=id, name=kept.name, email=kept.email, language=kept.language)
