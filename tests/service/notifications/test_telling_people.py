"""People are told: what a rule names becomes deliveries, once, to those who may know."""

import pytest

from services.notifications.deliveries.domain.delivery import State
from services.notifications.inbox.documents import INBOX
from shared.contracts.agreements.agreement import AgreementDrafted, AgreementSentForSignature
from shared.contracts.notifications.delivery import Channel, DeliveryAccepted, DeliveryExhausted
from shared.contracts.partners.partner import PartnerContactErased
from shared.contracts.partners.person import PersonErased, PersonInvited
from shared.contracts.vocabulary import Role
from shared.ids import new_id
from tests.service.notifications.desk import Database, Desk, an, reinstated, suspended, toggles
from tests.support.road import until

pytestmark = pytest.mark.asyncio


async def test_a_suspension_reaches_users_contact_and_officers_on_their_channels(desk: Desk) -> None:
    partner, contact = await desk.register_partner()
    user = await desk.admit(Role.PARTNER_USER, email="user@example.org", partner=partner)
    officer = await desk.admit(Role.PARTNERSHIP_OFFICER, email="officer@example.org")
    await desk.know_address(contact, "contact@example.org")
    await desk.start()
    await desk.hear(suspended(partner))
    await desk.until_states(accepted=3, delivered=2)
    told = {(one["recipient"], one["channel"]) for one in await desk.deliveries(version=2)}
    assert told == {(user, "inbox"), (user, "email"), (contact, "email"), (officer, "inbox")}
    assert {message.recipients[0] for message in desk.mailbox.messages()} == {
        "user@example.org",
        "contact@example.org",
    }


async def test_every_delivery_ends_in_one_fact(desk: Desk) -> None:
    partner, contact = await desk.register_partner()
    await desk.admit(Role.PARTNERSHIP_OFFICER)
    await desk.know_address(contact, "contact@example.org")
    await desk.start()
    (record,) = await desk.hear(suspended(partner))
    await desk.until_states(accepted=2, delivered=1)
    facts = [fact for fact in await desk.facts() if isinstance(fact, DeliveryAccepted)]
    of_suspension = [fact for fact in facts if fact.event_type == "partner.suspended.v1"]
    assert {(fact.channel, fact.about) for fact in of_suspension} == {
        (Channel.INBOX, partner),
        (Channel.EMAIL, partner),
    }
    assert all(record.value.find(fact.event_id.encode()) > 0 for fact in of_suspension)


async def test_an_event_heard_again_tells_nobody_again(desk: Desk) -> None:
    await desk.admit(Role.PARTNERSHIP_OFFICER)
    await desk.start(Channel.INBOX)
    partner, _ = await desk.register_partner()
    records = await desk.hear(suspended(partner), reinstated(partner))
    await desk.until_states(channel="inbox", delivered=3)
    before = await desk.deliveries()
    await desk.hear_again(records)
    await desk.mongo["watermarks"].delete_many({"_id": {"$regex": f"deliveries_of_partners.{partner}"}})
    await desk.mongo["watermarks"].insert_one(
        {"_id": f"concord.notifications.deliveries_of_partners|{partner}", "version": 1, "event": ""}
    )
    await desk.hear_again(records, only="deliveries_of_partners")
    assert await desk.deliveries() == before
    assert await desk.mongo[INBOX].count_documents({}) == 3


async def test_two_who_hear_an_event_at_once_make_its_deliveries_once(database: Database) -> None:
    one, other = await database.desk(), await database.desk()
    await one.admit(Role.PARTNERSHIP_OFFICER)
    partner, _ = await one.register_partner()
    records = [database.topics.record(event, at=one.runtime.clock) for event in toggles(partner, 5)]
    await one.start(Channel.INBOX)
    await other.start(Channel.INBOX)
    await one.hear_again(records, only="deliveries")
    await other.hear_again(records, only="deliveries")
    await one.until_states(channel="inbox", delivered=6)
    assert await one.mongo[INBOX].count_documents({}) == 6


async def test_words_say_what_earlier_events_said_of_the_subject(desk: Desk) -> None:
    partner, _ = await desk.register_partner()
    user = await desk.admit(Role.PARTNER_USER, partner=partner)
    await desk.know_address(user, "user@example.org", language="fr")
    officer = await desk.admit(Role.PARTNERSHIP_OFFICER)
    agreement = new_id("agr")
    of = {"agreement_id": agreement, "partner_id": partner}
    await desk.start(Channel.INBOX, Channel.EMAIL)
    await desk.hear(
        an(AgreementDrafted, **of, title="Water in Kisumu", officer_id=officer),
        an(AgreementSentForSignature, **of, ref="UNH/MOU/2027/0007", title="Water in Kisumu"),
    )
    await desk.until_states(channel="inbox", delivered=2)
    told = await desk.deliveries(about=agreement, channel="inbox")
    assert {one["recipient"] for one in told} == {user, officer}
    (french,) = desk.mailbox.messages("user@example.org")
    assert french.subject.endswith("est prêt à être signé") and "UNH/MOU/2027/0007" in french.subject


async def test_an_invitation_goes_to_the_invited_by_mail(desk: Desk) -> None:
    partner, _ = await desk.register_partner()
    invited = new_id("prs")
    await desk.know_address(invited, "invited@example.org")
    await desk.start(Channel.EMAIL)
    await desk.hear(an(PersonInvited, person_id=invited, partner_id=partner))
    await desk.until_states(channel="email", pending=1, accepted=1)
    (message,) = desk.mailbox.messages("invited@example.org")
    assert "Federation" in message.subject


async def test_who_lost_the_role_meanwhile_is_not_told(desk: Desk) -> None:
    partner, _ = await desk.register_partner()
    user = await desk.admit(Role.PARTNER_USER, email="user@example.org", partner=partner)
    await desk.hear(suspended(partner))
    await desk.withdraw(user, Role.PARTNER_USER, partner=partner)
    await desk.start()

    async def both_are_suppressed() -> bool:
        states = {one["channel"]: one["state"] for one in await desk.deliveries(recipient=user)}
        return states == {"inbox": State.SUPPRESSED, "email": State.SUPPRESSED}

    await until(both_are_suppressed)
    assert desk.mailbox.messages("user@example.org") == ()
    reasons = {fact.reason for fact in await desk.facts() if isinstance(fact, DeliveryExhausted)}
    assert reasons == {"not_disclosed"}


async def test_a_former_contact_is_not_told(desk: Desk) -> None:
    partner, contact = await desk.register_partner()
    await desk.know_address(contact, "contact@example.org")
    await desk.hear(suspended(partner))
    await desk.hear(an(PartnerContactErased, partner_id=partner, contact_id=contact))
    await desk.start(Channel.EMAIL)
    await desk.until_states(channel="email", suppressed=2)
    await desk.hear(reinstated(partner))
    assert len(await desk.deliveries(recipient=contact)) == 2, "nobody is the contact any more"


async def test_an_erased_person_is_told_nothing_more(desk: Desk) -> None:
    partner, _ = await desk.register_partner()
    user = await desk.admit(Role.PARTNER_USER, partner=partner)
    await desk.hear(an(PersonErased, person_id=user))
    await desk.hear(suspended(partner))
    assert await desk.deliveries(recipient=user) == []
