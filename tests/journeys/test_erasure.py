"""A person asks to be forgotten: no service keeps their name or their address, and the record stays whole.

Two things are apart and say so. What somebody signed with is evidence under legal hold. The demo's mailbox is
the world outside, where a message cannot be called back.
"""

from collections.abc import MutableMapping
from typing import Any

import pytest

from services.notifications.email.adapters.mailbox import DemoMailbox
from tests.journeys import steps
from tests.journeys.searching import holds, places_answered, places_sent, places_stored
from tests.journeys.steps import ADMINISTRATOR, OFFICER, OPERATOR, SIGNATORY, Partner, Person
from tests.support.house import House, open_house

pytestmark = pytest.mark.asyncio
EVIDENCE = "/agreements/v1/agreements/{id}/evidence"
OUTSIDE = "/notifications/v1/mailbox"
EVERYBODY = ("officer", "administrator", "operator", "auditor")
REASON = {"reason": "At the person's own request"}


async def test_after_an_erasure_nothing_of_the_contact_person_is_kept_or_answered_anywhere(
    house: House, said: list[MutableMapping[str, Any]]
) -> None:
    partner = await steps.register_partner(house)
    contact = await steps.contact_joins(house, partner)
    word = contact.email.split(".")[1].split("@")[0]
    assert word in contact.name
    agreement = await everything_one_does(house, partner, contact)
    assert await places_stored(house, word) == {
        "partners.people",
        "notifications.addresses",
        "agreements.evidence",
    }
    erasing = f"/partners/v1/partners/{partner.id}/contact/erasures"
    erased = await house.post(OFFICER, erasing, REASON)
    assert erased["contact_id"] is None
    await house.eventually(lambda: only_evidence_is_kept(house, word))
    assert await places_sent(house, word) == set()
    ids = [partner.id, contact.id, agreement["id"]]
    answered = await places_answered(house, word, ids=ids, asking=EVERYBODY, apart=[OUTSIDE])
    assert answered == {EVIDENCE}
    assert not holds(said, word)
    await they_are_a_stranger_now(house, contact)
    for service, report in (await house.records()).items():
        assert report.is_whole, (service, report.findings)


async def test_an_erased_person_is_still_spoken_of_by_their_id_and_gets_no_more_mail(house: House) -> None:
    partner = await steps.register_partner(house)
    user = await steps.join_for(house, partner)
    mail = await house.see(OPERATOR, OUTSIDE, lambda box: box["items"], to=user.email)
    await house.post(ADMINISTRATOR, f"/partners/v1/people/{user.id}/erasures", REASON)
    spoken_of = await house.get(ADMINISTRATOR, f"/partners/v1/people/{user.id}")
    assert [spoken_of[part] for part in ("status", "name", "email", "roles")] == ["erased", None, None, []]
    suspension = f"/partners/v1/partners/{partner.id}/suspensions"
    await house.post(OFFICER, suspension, {"reason": "The accounts are late"})
    await house.see(OPERATOR, OUTSIDE, lambda box: "suspended" in str(box), to=partner.contact_email)
    assert await house.get(OPERATOR, OUTSIDE, to=user.email) == mail


async def test_what_a_mail_server_says_of_an_address_is_not_kept(
    mongo_url: str, kafka_bootstrap: str
) -> None:
    """A refusal usually repeats the address it refuses."""
    email = f"wanjiku.{(word := steps.any_mark())}@example.org"
    refusal = f"550 5.1.1 <{email.upper()}>: user wanjiku.{word} unknown"
    name = f"refused{steps.any_mark()}"
    async with DemoMailbox(replies={email: refusal}) as server:
        mail = {"mail_host": server.host, "mail_port": server.port, "mail_tls": "off"}
        async with open_house(
            mongo_url, kafka_bootstrap, name, only=("partners", "notifications"), **mail
        ) as house:
            partner = await register_with(house, email)
            query = {"about": partner, "state": "dead"}
            refused = await house.see(
                OFFICER, "/notifications/v1/deliveries", lambda page: page["items"], **query
            )
            path = f"/notifications/v1/deliveries/{refused['items'][0]['id']}/attempts"
            [attempt] = (await house.get(OFFICER, path))["items"]
            assert attempt["answer"] == "5.1.1 <(recipient)>: user (recipient) unknown"
            assert await places_stored(house, word) == {"partners.people", "notifications.addresses"}


async def register_with(house: House, email: str) -> str:
    contact = {"name": "Wanjiku", "email": email, "language": "en"}
    body = {"legal_name": "Shelter Association", "kind": "civil_society", "country": "KEN"}
    made = await house.post(OFFICER, "/partners/v1/partners", {**body, "contact": contact})
    return str(made["id"])


async def everything_one_does(house: House, partner: Partner, contact: Person) -> dict[str, Any]:
    """Told of this and that, they sign, and read what they were told."""
    agreement = await steps.send(house, await steps.draft(house, partner))
    await steps.sign(house, contact.subject, agreement, "partner", contact.name)
    await steps.sign(house, SIGNATORY, agreement, "organisation", "Étienne Lefèvre")
    inbox = await house.see(contact.subject, "/notifications/v1/inbox", lambda page: page["items"])
    await house.post(contact.subject, f"/notifications/v1/inbox/{inbox['items'][0]['id']}/readings")
    await house.get(OFFICER, f"/partners/v1/partners/{partner.id}/contact")
    await house.see(OPERATOR, OUTSIDE, lambda box: "in force" in str(box), to=contact.email)
    return agreement


async def only_evidence_is_kept(house: House, word: str) -> bool:
    return await places_stored(house, word) == {"agreements.evidence"}


async def they_are_a_stranger_now(house: House, contact: Person) -> None:
    for path in ("/partners/v1/partners", "/agreements/v1/agreements", "/notifications/v1/inbox"):

        async def is_refused(path: str = path) -> bool:
            answer = await house.as_(contact.subject).get(path)
            return (answer.status_code, answer.json().get("code")) == (403, "not_admitted")

        await house.eventually(is_refused)
