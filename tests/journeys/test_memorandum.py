"""A memorandum of understanding from its draft to its last day, and everybody who is told of it."""

import json
from typing import Any

import pytest

from shared.contracts.envelope import CONTENT_TYPE
from tests.journeys import steps
from tests.journeys.steps import OFFICER, OPERATOR, SIGNATORY, FeedReader, Partner, Person
from tests.support.house import House
from tests.support.receiver import Received, Receiver

pytestmark = pytest.mark.asyncio
TERM_DAYS = 120
TOLD = [
    "agreement.sent_for_signature.v1",
    "agreement.signed_by_party.v1",
    "agreement.signed_by_party.v1",
    "agreement.fully_signed.v1",
    "agreement.entered_into_force.v1",
    "agreement.expired.v1",
]


async def test_a_memorandum_is_drafted_signed_by_both_sides_in_force_and_expires_on_its_last_day(
    house: House,
) -> None:
    partner = await steps.register_partner(house)
    user = await steps.join_for(house, partner, language="fr")
    system = await steps.register_system(house, ("partner", partner.id))
    feed = steps.FeedReader(house, system, "agreement.*")
    await feed.read()
    async with Receiver() as receiver:
        async with steps.subscribed(house, system, receiver.url("/ok"), "agreement.*") as secret:
            agreement = await steps.send(house, await steps.draft(house, partner, days=TERM_DAYS))
            await both_sides_are_asked(house, user, agreement)
            await both_sides_sign_the_same_text(house, user, agreement)
            await nobody_is_asked_any_more(house, user, agreement)
            await its_last_day_passes(house, agreement)
            calls = await webhooks_bring_it_in_order(receiver, secret, agreement)
    await the_feed_holds_the_same_bytes(house, feed, calls)
    await both_sides_are_told(house, user, agreement)
    await what_became_of_the_notices_is_shown(house, partner)


async def its_last_day_passes(house: House, agreement: dict[str, Any]) -> None:
    path = f"/agreements/v1/agreements/{agreement['id']}"
    await steps.advance_clock(house, TERM_DAYS + 2)
    await house.see(OFFICER, path, lambda seen: seen["status"] == "expired")


async def both_sides_are_asked(house: House, user: Person, agreement: dict[str, Any]) -> None:
    for who in (user.subject, SIGNATORY):
        tasks = await house.see(
            who, "/notifications/v1/tasks", lambda page: agreement["id"] in abouts(page), limit="200"
        )
        [task] = [task for task in tasks["items"] if task["about"] == agreement["id"]]
        assert (task["kind"], task["label"]) == ("sign_agreement", agreement["ref"])
        assert task["due_at"] == agreement["closes_at"]


async def nobody_is_asked_any_more(house: House, user: Person, agreement: dict[str, Any]) -> None:
    for who in (user.subject, SIGNATORY):
        await house.see(
            who, "/notifications/v1/tasks", lambda page: agreement["id"] not in abouts(page), limit="200"
        )


def abouts(page: dict[str, Any]) -> list[str]:
    return [item["about"] for item in page["items"]]


async def both_sides_sign_the_same_text(house: House, user: Person, agreement: dict[str, Any]) -> None:
    path = f"/agreements/v1/agreements/{agreement['id']}"
    text = await house.get(user.subject, f"{path}/text")
    assert text["sha256"] == agreement["text_sha256"]
    other = {**steps.signature(agreement, "partner", user.name), "text_sha256": "0" * 64}
    refused = await house.try_post(user.subject, f"{path}/signatures", other)
    assert (refused.status_code, refused.json()["code"]) == (409, "text_changed")
    await steps.sign(house, user.subject, agreement, "partner", user.name)
    await steps.sign(house, SIGNATORY, agreement, "organisation", "Étienne Lefèvre")
    signed = await house.get(OFFICER, path)
    assert signed["status"] == "in_force"
    manifest = await house.get(user.subject, f"{path}/manifest")
    assert {record["text_sha256"] for record in manifest["evidence"]} == {text["sha256"]}
    assert [record["party"] for record in manifest["evidence"]] == ["partner", "organisation"]


async def webhooks_bring_it_in_order(
    receiver: Receiver, secret: str, agreement: dict[str, Any]
) -> list[Received]:
    def calls() -> list[Received]:
        """What is public of others comes here too."""
        return [call for call in receiver.requests if subject_of(call) == agreement["id"]]

    await receiver.until(lambda: len(calls()) >= len(TOLD), timeout_s=30)
    assert [json.loads(call.body)["type"] for call in calls()] == TOLD
    for call in calls():
        assert call.is_signed_by(secret)
        assert call.headers["content-type"] == CONTENT_TYPE
        assert call.headers["webhook-id"] == json.loads(call.body)["id"]
    return calls()


def subject_of(call: Received) -> str:
    return str(json.loads(call.body)["subject"])


async def the_feed_holds_the_same_bytes(house: House, feed: FeedReader, calls: list[Received]) -> None:
    wanted = [json.loads(call.body) for call in calls]

    async def is_there() -> bool:
        return [item for item in await feed.read() if item["subject"] == wanted[0]["subject"]] == wanted

    await house.eventually(is_there)
    assert all(call.body in feed.content for call in calls)


async def both_sides_are_told(house: House, user: Person, agreement: dict[str, Any]) -> None:
    wanted = ["entered_into_force", "expired", "sent_for_signature", "signed_by_party", "signed_by_party"]
    types = [f"agreement.{fact}.v1" for fact in wanted]
    for who in (user.subject, OFFICER):
        inbox = await house.see(
            who,
            "/notifications/v1/inbox",
            lambda page: abouts(page).count(agreement["id"]) >= len(types),
            limit="200",
        )
        items = [item for item in inbox["items"] if item["about"] == agreement["id"]]
        assert sorted(item["event_type"] for item in items) == types
    mail = await house.see(
        OPERATOR, "/notifications/v1/mailbox", lambda box: len(box["items"]) >= len(types) + 1, to=user.email
    )
    assert {message["language"] for message in mail["items"]} == {"fr"}
    about_it = [one["subject"] for one in mail["items"] if agreement["ref"] in one["subject"]]
    assert len(about_it) == len(types)
    assert len({message["message_id"] for message in mail["items"]}) == len(mail["items"])


async def what_became_of_the_notices_is_shown(house: House, partner: Partner) -> None:
    page = await house.see(
        OFFICER,
        f"/partners/v1/partners/{partner.id}/notices",
        lambda page: {item["channel"] for item in page["items"]} == {"inbox", "email"},
    )
    [mail] = [item for item in page["items"] if item["channel"] == "email"]
    assert (mail["event_type"], mail["outcome"]) == ("partner.registered.v1", "accepted")
    assert mail["recipient"] == partner.contact_id
    await house.see(
        OPERATOR, "/notifications/v1/mailbox", lambda box: len(box["items"]) == 1, to=partner.contact_email
    )
