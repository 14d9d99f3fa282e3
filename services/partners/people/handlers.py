"""What happens when the directory is asked: load, decide, save.

Two rules speak of more than one person, and each has its own way of holding under concurrency:
- There is always an administrator. Who they are stands in one document beside the people, changed in the same
  transaction. A withdrawal carries the condition that somebody else remains, so of two withdrawals that both
  saw two administrators one is refused.
- What is lent ends when its owner loses it. The directory asks at each request whether the owner holds the
  role still, so nothing depends on the rest: who borrows asserts the owner's version, so nothing is lent
  after it was withdrawn, and what was lent before is ended, for the record, by a timer that is due at once.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr

from services.partners.people.commands import (
    AdmitPerson,
    Details,
    EndDelegation,
    ErasePerson,
    GiveDelegation,
    GrantRole,
    InviteKnownPerson,
    InvitePartnerUser,
    IssueKey,
    JoinByInvitation,
    NewInvitation,
    RegisterSystem,
    RevokeKey,
    SignOutEverywhere,
    WithdrawRole,
)
from services.partners.people.documents import ADMINISTRATORS, IN_DIRECTORY, PEOPLE, persons, systems
from services.partners.people.domain.delegation import Delegation
from services.partners.people.domain.invitation import InvitationTerms
from services.partners.people.domain.person import Person
from services.partners.people.domain.system import System
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Role
from shared.errors import NotFound, Refusal
from shared.ids import new_id
from shared.storage.repository import Unit

EXPIRE_INVITATION = "expire_invitation"
GIVE_BACK = "give_back_lent_roles"
CODE_BYTES = 32
ALL_ADMINISTRATORS = "all"


async def admit_person(command: AdmitPerson, unit: Unit) -> Person:
    id, details = new_id("prs"), command.details
    keep_details(unit, id, details, in_directory=True)
    events = Person.admit(id, subject=command.subject, language=details.language, zone=command.zone)
    return persons.create(unit, id, events)


def keep_details(unit: Unit, person_id: str, details: Details, *, in_directory: bool) -> None:
    unit.put(PEOPLE.name, {"_id": person_id, **details.model_dump(), IN_DIRECTORY: in_directory})


async def invite_partner_user(command: InvitePartnerUser, unit: Unit) -> NewInvitation:
    id, code = new_id("prs"), secrets.token_urlsafe(CODE_BYTES)
    keep_details(unit, id, command.details, in_directory=True)
    terms = _terms(command, command.details.language, code, unit.context.now)
    persons.create(unit, id, Person.invite(id, terms))
    return _invited(unit, id, terms, code)


async def invite_known_person(command: InviteKnownPerson, unit: Unit) -> NewInvitation:
    id, code = command.person_id, secrets.token_urlsafe(CODE_BYTES)
    kept = await unit.get(PEOPLE.name, id)
    if kept is None:
        raise NotFound(
            "person_not_found", "There is no such person, or their details were erased", id=id[:64]
        )
    terms = _terms(command, kept["language"], code, unit.context.now)
    known = await persons.find(unit, id)
    if known is None:
        unit.change.edit(PEOPLE.name, {"_id": id}, {"$set": {IN_DIRECTORY: True}})
        persons.create(unit, id, Person.invite(id, terms))
    else:
        persons.save(unit, known, known.invite_anew(terms))
    return _invited(unit, id, terms, code)


def _terms(
    command: InvitePartnerUser | InviteKnownPerson, language: str, code: str, now: datetime
) -> InvitationTerms:
    return InvitationTerms(
        partner_id=command.partner_id,
        partner_name=command.partner_name,
        code_sha256=sha256_of(code),
        task_id=new_id("tsk"),
        language=language,
        zone=command.zone,
        now=now,
    )


def _invited(unit: Unit, person_id: str, terms: InvitationTerms, code: str) -> NewInvitation:
    unit.schedule(EXPIRE_INVITATION, person_id, terms.expires_at)
    return NewInvitation(
        person_id=person_id,
        partner_id=terms.partner_id,
        code=SecretStr(code),
        expires_at=terms.expires_at,
    )


async def join_by_invitation(command: JoinByInvitation, unit: Unit) -> Person:
    code_sha256 = sha256_of(command.code.get_secret_value())
    person = await persons.find_one(unit, {"code_sha256": code_sha256})
    if person is None:
        raise NotFound("invitation_not_found", "There is no such invitation")
    unit.cancel(EXPIRE_INVITATION, person.id)
    return persons.save(unit, person, person.join(command.subject, unit.context.now))


async def grant_role(command: GrantRole, unit: Unit) -> Person:
    person = await persons.load(unit, command.person_id)
    events = person.grant(command.role, command.scope, by=unit.context.actor.id)
    return await _save_roles(unit, person, events)


async def withdraw_role(command: WithdrawRole, unit: Unit) -> Person:
    person = await persons.load(unit, command.person_id)
    return await _save_roles(unit, person, person.withdraw(command.role, command.scope))


async def give_delegation(command: GiveDelegation, unit: Unit) -> Person:
    borrower = await persons.load(unit, command.person_id)
    owner = await persons.load(unit, command.on_behalf_of)
    lent = Delegation(
        id=new_id("dlg"),
        on_behalf_of=owner.id,
        role=command.role,
        scope=command.scope,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
    )
    context = unit.context
    events = borrower.borrow(lent, owner=owner, by=context.actor.id, now=context.now)
    unit.change.require_version(persons.collection, owner.id, unit.version_of(owner.id) or 0)
    return persons.save(unit, borrower, events)


async def end_delegation(command: EndDelegation, unit: Unit) -> Person:
    person = await persons.load(unit, command.person_id)
    return persons.save(unit, person, person.end_delegation(command.delegation_id, command.reason))


async def give_back_what_was_lent(owner_id: str, unit: Unit) -> None:
    """End every delegation of what its owner does not hold any more."""
    owner = await persons.load(unit, owner_id)
    for borrower in await _borrowers_from(unit, owner_id):
        persons.save(unit, borrower, borrower.give_back(owner))


async def sign_out_everywhere(command: SignOutEverywhere, unit: Unit) -> Person:
    """As of the machine's time, like the sessions themselves: the business's may run ahead."""
    person = await persons.load(unit, command.person_id)
    return persons.save(unit, person, person.sign_out_everywhere(unit.context.recorded_at))


async def erase_person(command: ErasePerson, unit: Unit) -> Person:
    person = await persons.load(unit, command.person_id)
    await erase_all_of(person.id, command.reason, unit)
    return await persons.load(unit, person.id)


async def erase_all_of(person_id: str, reason: str, unit: Unit) -> None:
    """Of somebody who may be in the directory, or is only spoken of, as a contact person is.

    Whoever is only spoken of may be invited at this very moment. The details say whether they are in the
    directory, and are read first: should that change until the commit, this is decided again.
    """
    kept = await unit.get(PEOPLE.name, person_id)
    person = await persons.find(unit, person_id)
    if kept is not None:
        unit.change.remove(PEOPLE.name, {"_id": person_id, IN_DIRECTORY: kept[IN_DIRECTORY]})
    if person is not None:
        unit.cancel(EXPIRE_INVITATION, person_id)
        await _save_roles(unit, person, person.erase(reason))


async def make_administrator(command: AdmitPerson, unit: Unit) -> Person:
    """The first one is made from the command line: nobody in the directory could."""
    known = await persons.find_one(unit, {"subject": command.subject})
    person = known or await admit_person(command, unit)
    return await _save_roles(unit, person, person.grant(Role.ADMINISTRATOR, (), by=unit.context.actor.id))


async def register_system(command: RegisterSystem, unit: Unit) -> System:
    owner = await persons.load(unit, command.owner_id)
    id = new_id("sys")
    events = System.register(id, label=command.label, owner_id=owner.id, scope=command.scope)
    return systems.create(unit, id, events)


async def issue_key(command: IssueKey, unit: Unit) -> System:
    system = await systems.load(unit, command.system_id)
    return systems.save(unit, system, system.issue(command.key_id, command.sha256))


async def revoke_key(command: RevokeKey, unit: Unit) -> System:
    system = await systems.load(unit, command.system_id)
    return systems.save(unit, system, system.revoke(command.key_id, command.reason))


def sha256_of(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


async def _save_roles(unit: Unit, before: Person, events: Sequence[Event]) -> Person:
    """Save what changes somebody's roles, and what follows for others from that."""
    after = persons.save(unit, before, events)
    if before.is_administrator != after.is_administrator:
        await _count_administrators(unit, after)
    if set(before.roles) - set(after.roles):
        unit.schedule(GIVE_BACK, after.id, unit.context.now)
    return after


async def _count_administrators(unit: Unit, person: Person) -> None:
    everybody = {"_id": ALL_ADMINISTRATORS}
    if person.is_administrator:
        added = {"$addToSet": {"holders": person.id}}
        unit.change.edit(ADMINISTRATORS.name, everybody, added, upsert=True)
        return
    known = await unit.get(ADMINISTRATORS.name, ALL_ADMINISTRATORS)
    if known is None or set(known["holders"]) <= {person.id}:
        raise Refusal("last_administrator", "Make somebody else an administrator first")
    somebody_remains = {**everybody, "holders": person.id, "holders.1": {"$exists": True}}
    unit.change.edit(ADMINISTRATORS.name, somebody_remains, {"$pull": {"holders": person.id}})


async def _borrowers_from(unit: Unit, owner_id: str) -> list[Person]:
    found = unit.mongo[persons.collection].find({"lent_by": owner_id}, {"_id": 1})
    return [await persons.load(unit, document["_id"]) async for document in found]
