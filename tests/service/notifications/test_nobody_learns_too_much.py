"""No channel tells anybody what an event's visibility and audience do not let them know.

Everybody there is hears of two partners whatever the rules and the endpoints' wishes send their way; then
every channel is looked through, event by event.
"""

from dataclasses import dataclass, field

import pytest

from services.notifications.deliveries.domain.disclosure import Reader, may_know
from services.notifications.deliveries.domain.notice import addressees
from services.notifications.inbox.documents import INBOX
from shared.contracts import catalogue
from shared.contracts.agreements.agreement import (
    AgreementDrafted,
    AgreementEnteredIntoForce,
    AgreementHoldOpened,
    AgreementSentForSignature,
    AgreementSignedByParty,
)
from shared.contracts.envelope import Envelope, Event, open_envelope
from shared.contracts.partners.person import PersonInvited, RoleGranted
from shared.contracts.vocabulary import Grant, Role
from shared.ids import new_id
from tests.service.notifications.desk import an, registered, reinstated, suspended
from tests.service.notifications.front import Front
from tests.support.receiver import Receiver
from tests.support.road import until

pytestmark = pytest.mark.asyncio


@dataclass
class Everybody:
    """Who there is, with what they hold, and the events there were."""

    readers: dict[str, Reader] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    events: dict[str, Envelope] = field(default_factory=dict)

    def may(self, who: str, event_id: str) -> bool:
        envelope = self.events[event_id]
        named = [f"person:{id}" for id in addressees(catalogue.event_of(envelope))]
        return may_know(envelope.visibility, (*envelope.audiences, *named), self.readers[who])


async def everybody(front: Front, partners: list[str], receiver: Receiver) -> Everybody:
    """A person of each role for each partner, systems for one and for all, each with an endpoint for all."""
    found = Everybody()
    for partner in partners:
        for role in (Role.PARTNER_USER, Role.PARTNERSHIP_OFFICER):
            person = await front.admit(role, partner=partner)
            found.readers[person] = Reader(id=person, grants=(Grant(role, (("partner", partner),)),))
    for role in Role:
        if role not in (Role.PARTNER_USER, Role.EXTERNAL_SYSTEM):
            person = await front.admit(role)
            found.readers[person] = Reader(id=person, grants=(Grant(role),))
    for scope in ({}, {"partner": partners[0]}):
        system, key = await front.register_system(**scope)
        grant = Grant(Role.EXTERNAL_SYSTEM, tuple(scope.items()))
        found.readers[system], found.keys[system] = Reader(id=system, grants=(grant,)), key
        body = {"url": receiver.url(f"/ok?{system}"), "types": ["*"]}
        assert (await front.post(key, "/endpoints", body)).status_code == 201
    return found


def what_happens(partners: list[str], people: Everybody) -> list[Event]:
    """Everything the rules speak of, and what they do not, about both partners."""
    someone, events = next(iter(people.readers)), []
    for partner in partners:
        agreement = {"agreement_id": new_id("agr"), "partner_id": partner}
        invited = new_id("prs")
        people.readers[invited] = Reader(id=invited)
        events += [
            registered(partner, contact := new_id("prs")),
            suspended(partner),
            reinstated(partner),
            an(PersonInvited, person_id=invited, partner_id=partner),
            an(AgreementDrafted, **agreement, officer_id=someone),
            an(AgreementSentForSignature, **agreement),
            an(AgreementSignedByParty, **agreement),
            an(AgreementHoldOpened, **agreement),
            an(AgreementEnteredIntoForce, **agreement),
        ]
        own = Grant(Role.PARTNER_USER, (("partner", partner),))
        people.readers[contact] = Reader(id=contact, grants=(own,))
    return [*events, an(RoleGranted, person_id=new_id("prs"), role=Role.PARTNER_USER)]


async def all_settled(front: Front) -> bool:
    unsettled = {"state": {"$in": ["pending", "waiting"]}, "reason": {"$ne": "no_address"}}
    return not await front.mongo["deliveries"].count_documents(unsettled)


async def test_on_no_channel_does_anybody_learn_what_they_may_not(front: Front, receiver: Receiver) -> None:
    partners = [new_id("ptn"), new_id("ptn")]
    people = await everybody(front, partners, receiver)
    for record in await front.hear(*what_happens(partners, people)[:-1]):
        envelope = open_envelope(record.value)
        people.events[envelope.id] = envelope
    await until(lambda: all_settled(front))

    told = [(one["person"], one["event_id"]) async for one in front.mongo[INBOX].find({})]
    sent = [(request.path.partition("?")[2], request.headers["webhook-id"]) for request in receiver.requests]
    mail = front.mongo["deliveries"].find({"channel": "email"})
    written = [(one["recipient"], one["event_id"]) async for one in mail]
    pulled = [
        (system, item["id"])
        for system, key in people.keys.items()
        for item in (await front.read(key, "/events", limit=500))["items"]
    ]
    for channel, seen in (("inbox", told), ("webhook", sent), ("e-mail", written), ("feed", pulled)):
        assert seen, f"nobody learnt anything on {channel}"
        of_these = [(who, event) for who, event in seen if event in people.events]
        too_much = [(who, people.events[event].type) for who, event in of_these if not people.may(who, event)]
        assert too_much == [], channel
    for system in people.keys:
        knows = {event for event in people.events if people.may(system, event)}
        assert {event for who, event in sent if who == system} == knows, "and all of what they may"
        assert {event for who, event in pulled if who == system} & set(people.events) == knows
