"""The register on a real MongoDB: many at once, and what an erasure leaves."""

import asyncio

import pytest

from services.partners.people.commands import JoinByInvitation
from services.partners.people.documents import PEOPLE, persons
from services.partners.people.domain.person import PersonStatus
from services.partners.people.handlers import join_by_invitation
from services.partners.register.commands import EraseContact, InviteAgain, ReinstatePartner, SuspendPartner
from services.partners.register.documents import partners
from services.partners.register.handlers import (
    erase_contact,
    invite_again,
    reinstate_partner,
    suspend_partner,
)
from shared.errors import NotFound, Refusal
from tests.service.partners.desk import REASON, Desk

pytestmark = pytest.mark.asyncio


async def test_of_fifty_who_register_one_name_at_once_exactly_one_does(desk: Desk) -> None:
    spellings = ["Slum-Dwellers Federation", "slum dwellers federation", "SLUM DWELLERS  FÉDÉRATION"]
    outcomes = await asyncio.gather(
        *(desk.register(spellings[n % 3], country=("KEN", "KE")[n % 2]) for n in range(50)),
        return_exceptions=True,
    )
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert len(refusals) == 49
    assert {(refusal.code, refusal.status) for refusal in refusals} == {("partner_exists", 409)}
    assert await desk.mongo[partners.collection].count_documents({}) == 1
    assert await desk.mongo[PEOPLE.name].count_documents({}) == 1
    assert await desk.mongo["events"].count_documents({}) == 1


async def test_the_same_name_in_another_country_is_another_partner(desk: Desk) -> None:
    kenya, uganda = await asyncio.gather(
        desk.register("Shelter Forum"), desk.register("Shelter Forum", "UGA")
    )
    assert kenya.id != uganda.id


async def test_suspending_at_once_happens_once(desk: Desk) -> None:
    partner = await desk.register("Shelter Forum")
    command = SuspendPartner(partner_id=partner.id, reason="Accounts are late")
    await asyncio.gather(*(desk.do(suspend_partner, command) for _ in range(10)))
    assert await desk.types(partner.id) == ["partner.registered.v1", "partner.suspended.v1"]
    await desk.do(reinstate_partner, ReinstatePartner(partner_id=partner.id, reason="They were received"))
    assert (await desk.types(partner.id))[-1] == "partner.reinstated.v1"


async def test_an_erasure_takes_the_details_and_leaves_every_hash_valid(desk: Desk) -> None:
    partner = await desk.register("Shelter Forum")
    assert partner.contact_id is not None
    await desk.do(erase_contact, EraseContact(partner_id=partner.id, reason=REASON))
    assert await desk.document(PEOPLE.name, partner.contact_id) is None
    state, version, link = await partners.replay(desk.mongo, partner.id)
    stored = await desk.document(partners.collection, partner.id)
    assert stored is not None
    assert (stored["state"], stored["version"], stored["hash"]) == (state, version, link)
    assert "Wangũi" not in str(await desk.mongo["events"].find({}).to_list(length=10))
    await desk.do(erase_contact, EraseContact(partner_id=partner.id, reason=REASON))
    assert (await desk.types(partner.id)).count("partner.contact_erased.v1") == 1


async def test_a_contact_person_who_joined_is_erased_from_the_directory_too(desk: Desk) -> None:
    partner = await desk.register("Shelter Forum")
    assert partner.contact_id is not None
    again = InviteAgain(partner_id=partner.id, person_id=partner.contact_id, zone="UTC")
    invitation = await desk.do(invite_again, again)
    await desk.do(join_by_invitation, JoinByInvitation(code=invitation.code, subject="sub-contact"))
    await desk.do(erase_contact, EraseContact(partner_id=partner.id, reason=REASON))
    assert (await desk.types(partner.contact_id))[-1] == "person.erased.v1"
    state, _, _ = await persons.replay(desk.mongo, partner.contact_id)
    assert (state["status"], state["subject"], state["roles"]) == (PersonStatus.ERASED, None, [])
    assert await desk.document(PEOPLE.name, partner.contact_id) is None


async def test_inviting_and_erasing_the_contact_person_at_once_never_leaves_them_half_erased(
    desk: Desk,
) -> None:
    for round in range(12):
        partner = await desk.register(f"Shelter Forum {round}")
        assert partner.contact_id is not None
        invite = InviteAgain(partner_id=partner.id, person_id=partner.contact_id, zone="UTC")
        outcome, _ = await asyncio.gather(
            desk.do(invite_again, invite),
            desk.do(erase_contact, EraseContact(partner_id=partner.id, reason=REASON)),
            return_exceptions=True,
        )
        assert not isinstance(outcome, Exception) or isinstance(outcome, NotFound)
        assert await desk.document(PEOPLE.name, partner.contact_id) is None
        person = await desk.document(persons.collection, partner.contact_id)
        assert person is None or person["status"] == PersonStatus.ERASED
