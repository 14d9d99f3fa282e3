"""How an address names a role that somebody holds: by a short digest of the role and its whole scope."""

import hashlib

from services.partners.people.domain.person import HeldRole, Person
from shared.errors import NotFound

KEY_CHARACTERS = 12


def key_of(held: HeldRole) -> str:
    scope = " ".join(f"{part.kind}:{part.value}" for part in held.scope)
    return hashlib.sha256(f"{held.role} {scope}".encode()).hexdigest()[:KEY_CHARACTERS]


def held_by(person: Person, key: str) -> HeldRole:
    held = next((one for one in person.roles if key_of(one) == key), None)
    if held is None:
        raise NotFound("role_not_held", "This person does not hold this role, or not any more")
    return held
