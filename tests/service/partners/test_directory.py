"""The directory on a real MongoDB: who may do what, and the rules that speak of more than one person."""

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr

from deploy.local.personas import PERSONAS
from services.partners.main import directory
from services.partners.people.commands import (
    AdmitPerson,
    EndDelegation,
    ErasePerson,
    GiveDelegation,
    GrantRole,
    InviteKnownPerson,
    IssueKey,
    JoinByInvitation,
    RegisterSystem,
    RevokeKey,
    WithdrawRole,
)
from services.partners.people.documents import ADMINISTRATORS, PEOPLE, persons
from services.partners.people.domain.person import Person, PersonStatus
from services.partners.people.handlers import (
    ALL_ADMINISTRATORS,
    admit_person,
    end_delegation,
    erase_person,
    give_delegation,
    grant_role,
    invite_known_person,
    issue_key,
    join_by_invitation,
    register_system,
    revoke_key,
    withdraw_role,
)
from services.partners.register.commands import InviteUser
from services.partners.register.handlers import invite_user
from services.partners.seed import admit_administrator, seed
from shared.context import Actor
from shared.contracts.vocabulary import Grant, Role
from shared.errors import Conflict, Forbidden, NotFound, Refusal
from shared.http.api_keys import new_api_key, parse_api_key
from shared.http.directory import LentGrant
from shared.storage.repository import Unit
from shared.storage.timers import TIMERS
from tests.service.partners.desk import DETAILS, REASON, Desk

pytestmark = pytest.mark.asyncio

TICK = timedelta(milliseconds=1)  # The database keeps instants to the millisecond.


async def known_as(desk: Desk, subject: str) -> Actor | None:
    return await directory(desk.runtime).by_subject("", subject)


async def may(desk: Desk, subject: str, permission: str) -> bool:
    actor = await known_as(desk, subject)
    return actor is not None and actor.may(permission)


async def withdraw(desk: Desk, person: Person, role: Role) -> Person:
    return await desk.do(withdraw_role, WithdrawRole(person_id=person.id, role=role, scope=()))


async def test_of_many_admitted_at_once_with_one_subject_exactly_one_is(desk: Desk) -> None:
    command = AdmitPerson(subject="sub-1", details=DETAILS, zone="UTC")
    outcomes = await asyncio.gather(
        *(desk.do(admit_person, command) for _ in range(20)), return_exceptions=True
    )
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert {refusal.code for refusal in refusals} == {"subject_taken"}
    assert len(refusals) == 19
    assert await desk.mongo[PEOPLE.name].count_documents({}) == 1


async def test_a_withdrawn_role_counts_for_nobody_who_asks_after_it(desk: Desk) -> None:
    officer = await desk.admit("sub-1", Role.PARTNERSHIP_OFFICER)
    assert await may(desk, "sub-1", "partner:register")
    await withdraw(desk, officer, Role.PARTNERSHIP_OFFICER)
    assert not await may(desk, "sub-1", "partner:register")
    assert await known_as(desk, "sub-1") == Actor(id=officer.id, grants=(), language="en", zone="UTC")
    assert await known_as(desk, "nobody") is None


async def test_the_last_administrator_stays_one(desk: Desk) -> None:
    administrator = await desk.admit("sub-1", Role.ADMINISTRATOR)
    for leaves in (withdraw(desk, administrator, Role.ADMINISTRATOR), erased(desk, administrator)):
        with pytest.raises(Refusal) as refusal:
            await leaves
        assert refusal.value.code == "last_administrator"
    assert await may(desk, "sub-1", "role:grant")
    assert await desk.document(PEOPLE.name, administrator.id) is not None


async def erased(desk: Desk, person: Person) -> Person:
    return await desk.do(erase_person, ErasePerson(person_id=person.id, reason=REASON))


async def test_of_administrators_who_all_leave_at_once_one_remains(desk: Desk) -> None:
    administrators = [await desk.admit(f"sub-{n}", Role.ADMINISTRATOR) for n in range(6)]
    outcomes = await asyncio.gather(
        *(withdraw(desk, one, Role.ADMINISTRATOR) for one in administrators[:3]),
        *(erased(desk, one) for one in administrators[3:]),
        return_exceptions=True,
    )
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert [refusal.code for refusal in refusals] == ["last_administrator"]
    holders = await desk.document(ADMINISTRATORS.name, ALL_ADMINISTRATORS)
    held = await desk.mongo[persons.collection].find({"state.roles.role": Role.ADMINISTRATOR}).to_list(10)
    assert holders is not None
    assert holders["holders"] == [person["_id"] for person in held]
    assert len(held) == 1


async def test_somebody_erased_frees_their_subject_and_keeps_nothing(desk: Desk) -> None:
    person = await desk.admit("sub-1", Role.OPERATOR)
    await erased(desk, person)
    assert await known_as(desk, "sub-1") is None
    assert await desk.document(PEOPLE.name, person.id) is None
    assert (await desk.admit("sub-1")).id != person.id
    assert (await erased(desk, person)).status is PersonStatus.ERASED


async def test_what_is_lent_counts_by_the_clock_and_on_whose_behalf(desk: Desk) -> None:
    owner, borrower = await desk.admit("owner", Role.SIGNATORY), await desk.admit("borrower")
    starts_at = desk.clock.now() + timedelta(days=1)
    given = await desk.do(
        give_delegation,
        GiveDelegation(
            person_id=borrower.id,
            on_behalf_of=owner.id,
            role=Role.SIGNATORY,
            scope=(),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(days=2),
        ),
    )
    assert not await may(desk, "borrower", "agreement:sign")
    desk.move_to(starts_at + TICK)
    actor = await known_as(desk, "borrower")
    assert actor is not None
    assert actor.grants == (LentGrant("signatory", (), owner.id),)
    desk.pass_time(timedelta(days=2))
    assert not await may(desk, "borrower", "agreement:sign")
    ended = EndDelegation(
        person_id=borrower.id, delegation_id=given.delegations[0].id, reason="Back from leave"
    )
    assert (await desk.do(end_delegation, ended)).delegations == ()


def loan(desk: Desk, owner: Person, borrower: Person) -> GiveDelegation:
    now = desk.clock.now()
    return GiveDelegation(
        person_id=borrower.id,
        on_behalf_of=owner.id,
        role=Role.SIGNATORY,
        scope=(),
        starts_at=now,
        ends_at=now + timedelta(days=2),
    )


async def lend(desk: Desk, owner: Person, borrower: Person) -> Person:
    return await desk.do(give_delegation, loan(desk, owner, borrower))


async def test_what_was_decided_before_a_role_was_withdrawn_is_not_lent_after_it(desk: Desk) -> None:
    owner, borrower = await desk.admit("owner", Role.SIGNATORY), await desk.admit("borrower")
    decided = Unit(desk.mongo, desk.runtime.system_context("test"))
    await give_delegation(loan(desk, owner, borrower), decided)
    await withdraw(desk, owner, Role.SIGNATORY)
    await desk.fire_due()
    with pytest.raises(Conflict):
        await desk.runtime.committer.commit(decided.change)
    assert await desk.types(borrower.id) == ["person.admitted.v1"]


async def test_what_is_lent_ends_at_once_when_its_owner_loses_it_and_the_record_says_so(
    desk: Desk,
) -> None:
    owner = await desk.admit("owner", Role.SIGNATORY, Role.OPERATOR)
    borrowers = [await desk.admit(f"borrower-{n}") for n in range(3)]
    for borrower in borrowers:
        await lend(desk, owner, borrower)
    await withdraw(desk, owner, Role.SIGNATORY)
    assert not await may(desk, "borrower-0", "agreement:sign")
    assert await desk.fire_due() == 1
    for borrower in borrowers:
        assert (await desk.types(borrower.id))[-1] == "delegation.ended.v1"
    assert await desk.mongo[TIMERS].count_documents({}) == 0


async def test_lending_while_the_role_is_withdrawn_leaves_nothing_lent(desk: Desk) -> None:
    for round in range(8):
        owner = await desk.admit(f"owner-{round}", Role.SIGNATORY)
        borrower = await desk.admit(f"borrower-{round}")
        lent, _ = await asyncio.gather(
            lend(desk, owner, borrower), withdraw(desk, owner, Role.SIGNATORY), return_exceptions=True
        )
        assert isinstance(lent, Person) or (isinstance(lent, Refusal) and lent.code == "not_theirs_to_lend")
        await desk.fire_due()
        stored = await desk.document(persons.collection, borrower.id)
        assert stored is not None
        assert stored["state"]["delegations"] == []


async def test_an_invitation_is_taken_up_once_however_many_have_its_code(desk: Desk) -> None:
    partner = await desk.register("Shelter Forum")
    invitation = await desk.do(
        invite_user, InviteUser(partner_id=partner.id, details=DETAILS, zone="Africa/Nairobi")
    )
    attempts = [JoinByInvitation(code=invitation.code, subject=f"sub-{n}") for n in range(5)]
    outcomes = await asyncio.gather(
        *(desk.do(join_by_invitation, attempt) for attempt in attempts), return_exceptions=True
    )
    joined = [outcome for outcome in outcomes if isinstance(outcome, Person)]
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert len(joined) == 1
    assert {refusal.code for refusal in refusals} == {"invitation_used"}
    assert await desk.types(invitation.person_id) == [
        "person.invited.v1",
        "task.assigned.v1",
        "person.joined.v1",
        "role.granted.v1",
        "task.done.v1",
    ]
    assert await desk.mongo[TIMERS].count_documents({}) == 0
    actor = await known_as(desk, joined[0].subject or "")
    assert actor is not None
    assert actor.grants == (Grant("partner_user", (("partner", partner.id),)),)


async def test_the_code_is_kept_nowhere_but_as_its_hash(desk: Desk) -> None:
    partner = await desk.register("Shelter Forum")
    command = InviteUser(partner_id=partner.id, details=DETAILS, zone="UTC")
    code = (await desk.do(invite_user, command)).code.get_secret_value()
    for collection in await desk.mongo.database.list_collection_names():
        stored = await desk.mongo[collection].find({}).to_list(length=100)
        assert code not in str(stored)


async def test_an_invitation_lapses_after_thirty_days_and_can_be_made_anew(desk: Desk) -> None:
    partner = await desk.register("Shelter Forum")
    command = InviteUser(partner_id=partner.id, details=DETAILS, zone="UTC")
    invitation = await desk.do(invite_user, command)
    desk.pass_time(timedelta(days=30) - timedelta(minutes=1))
    assert await desk.fire_due() == 0
    desk.pass_time(timedelta(minutes=1))
    assert await desk.fire_due() == 1
    assert (await desk.types(invitation.person_id))[-2:] == ["invitation.lapsed.v1", "task.done.v1"]
    again = InviteKnownPerson(
        partner_id=partner.id, partner_name="Shelter Forum", person_id=invitation.person_id, zone="UTC"
    )
    fresh = await desk.do(invite_known_person, again)
    with pytest.raises(NotFound) as refusal:
        await desk.do(join_by_invitation, JoinByInvitation(code=invitation.code, subject="sub-1"))
    assert refusal.value.code == "invitation_not_found"
    joined = await desk.do(join_by_invitation, JoinByInvitation(code=fresh.code, subject="sub-1"))
    assert joined.id == invitation.person_id


async def test_who_joins_under_a_subject_that_is_taken_is_refused(desk: Desk) -> None:
    await desk.admit("sub-1")
    partner = await desk.register("Shelter Forum")
    invitation = await desk.do(invite_user, InviteUser(partner_id=partner.id, details=DETAILS, zone="UTC"))
    with pytest.raises(Refusal) as refusal:
        await desk.do(join_by_invitation, JoinByInvitation(code=invitation.code, subject="sub-1"))
    assert refusal.value.code == "subject_taken"


async def test_a_code_of_nobody_opens_nothing(desk: Desk) -> None:
    with pytest.raises(NotFound) as refusal:
        await desk.do(join_by_invitation, JoinByInvitation(code=SecretStr("guess"), subject="sub-1"))
    assert refusal.value.code == "invitation_not_found"


async def test_a_key_opens_what_its_system_may_until_it_is_revoked(desk: Desk) -> None:
    owner = await desk.admit("owner")
    system = await desk.do(register_system, RegisterSystem(label="Portal", owner_id=owner.id, scope=()))
    key = new_api_key()
    await desk.do(issue_key, IssueKey(system_id=system.id, key_id=key.key_id, sha256=key.sha256))
    presented = parse_api_key(key.text)
    found = await directory(desk.runtime).by_key(presented.key_id, presented.sha256)
    assert found == Actor(id=system.id, grants=(Grant("external_system"),))
    assert await directory(desk.runtime).by_key(presented.key_id, "0" * 64) is None
    await desk.do(revoke_key, RevokeKey(system_id=system.id, key_id=key.key_id, reason="Rotated"))
    assert await directory(desk.runtime).by_key(presented.key_id, presented.sha256) is None
    assert presented.sha256 in str(await desk.mongo["events"].find({}).to_list(length=10))


async def test_a_system_has_an_owner_in_the_directory(desk: Desk) -> None:
    with pytest.raises(NotFound) as refusal:
        await desk.do(register_system, RegisterSystem(label="Portal", owner_id="prs_x", scope=()))
    assert refusal.value.code == "person_not_found"


async def test_nobody_gives_a_role_to_themselves_even_as_administrator(desk: Desk) -> None:
    administrator = await desk.admit("sub-1", Role.ADMINISTRATOR)
    with pytest.raises(Forbidden) as refusal:
        command = GrantRole(person_id=administrator.id, role=Role.OPERATOR, scope=())
        await desk.do(grant_role, command, actor=Actor(id=administrator.id))
    assert refusal.value.code == "own_role"


async def test_the_first_administrator_is_made_from_outside_and_once(desk: Desk) -> None:
    command = AdmitPerson(subject="sub-1", details=DETAILS, zone="UTC")
    first = await admit_administrator(desk.runtime, command)
    assert await admit_administrator(desk.runtime, command) == first
    assert await desk.types(first.id) == ["person.admitted.v1", "role.granted.v1"]
    assert await may(desk, "sub-1", "role:grant")


async def test_seeding_admits_every_persona_once_also_when_it_was_interrupted(desk: Desk) -> None:
    await seed(desk.runtime, PERSONAS[:3])
    await seed(desk.runtime, PERSONAS)
    before = await desk.mongo["events"].count_documents({})
    await seed(desk.runtime, PERSONAS)
    assert await desk.mongo["events"].count_documents({}) == before
    for persona in PERSONAS:
        actor = await known_as(desk, persona.subject)
        assert actor is not None
        assert {(grant.role, grant.scope) for grant in actor.grants} == {
            (grant.role, grant.scope) for grant in persona.grants
        }


@pytest.mark.parametrize(
    ("collection", "query"),
    [
        ("persons", {"subject": "sub-1"}),
        ("persons", {"code_sha256": "0" * 64}),
        ("persons", {"lent_by": "prs_x"}),
        ("systems", {"live_keys": "key_x"}),
        ("notices", {"partner_id": "ptn_x"}),
    ],
)
async def test_what_every_request_looks_up_is_read_from_an_index(
    desk: Desk, collection: str, query: dict[str, str]
) -> None:
    plan = await desk.mongo[collection].find(query).explain()
    assert "IXSCAN" in str(plan["queryPlanner"]["winningPlan"])
