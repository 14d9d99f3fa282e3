"""How the directory is kept. `people` holds what may be erased; everything else holds ids."""

from typing import Any

from services.partners.people.domain.person import Person
from services.partners.people.domain.system import System
from shared.errors import Refusal
from shared.storage.documents import Collection, Index
from shared.storage.repository import Repository


def _person_fields(person: Person) -> dict[str, Any]:
    """Absent rather than null: the unique index is over the people who have a subject."""
    fields: dict[str, Any] = {
        "status": person.status,
        "lent_by": sorted({delegation.on_behalf_of for delegation in person.delegations}),
        "roles": sorted({held.role.value for held in person.roles}),
        "partners": person.concerned_partner_ids,
    }
    if person.subject is not None:
        fields["subject"] = person.subject
    if person.invitation is not None:
        fields["code_sha256"] = person.invitation.code_sha256
    return fields


persons = Repository(
    Person,
    collection="persons",
    noun="person",
    prefix="prs",
    service="partners",
    indexed=_person_fields,
    indexes=(
        Index(
            name="one_person_a_subject",
            keys=(("subject", 1),),
            unique=True,
            only_where={"subject": {"$exists": True}},
            refusal=Refusal("subject_taken", "Somebody in the directory signs in as this subject already"),
        ),
        Index(
            name="invitation_of_code",
            keys=(("code_sha256", 1),),
            only_where={"code_sha256": {"$exists": True}},
        ),
        Index(name="lent_by", keys=(("lent_by", 1),)),
        Index(name="by_status", keys=(("status", 1), ("_id", 1))),
        Index(name="by_role", keys=(("roles", 1), ("_id", 1))),
        Index(name="of_partner", keys=(("partners", 1), ("_id", 1))),
    ),
)

systems = Repository(
    System,
    collection="systems",
    noun="system",
    prefix="sys",
    service="partners",
    indexed=lambda system: {"live_keys": [key.id for key in system.live_keys]},
    indexes=(Index(name="system_of_key", keys=(("live_keys", 1),)),),
)

# Names and addresses: {_id: prs_…, name, email, language, in_directory}. Gone when the person is erased.
PEOPLE = Collection(name="people")
IN_DIRECTORY = "in_directory"
# One document, {_id, holders}: who the administrators are, so that two withdrawals cannot end the last one.
ADMINISTRATORS = Collection(name="administrators")

COLLECTIONS = (PEOPLE, ADMINISTRATORS)
