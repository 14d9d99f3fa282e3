"""A draft is the organisation's own: on no channel does the partner, or any outside system, learn of it."""

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.journeys import steps
from tests.journeys.steps import OFFICER, FeedReader, Partner, Person
from tests.support.house import House
from tests.support.receiver import Receiver

pytestmark = pytest.mark.asyncio
EVERYTHING = ("agreement.*", "partner.*", "task.*", "delivery.*")


async def test_a_draft_is_unknown_to_the_partner_on_every_channel_until_it_is_sent(house: House) -> None:
    partner = await steps.register_partner(house)
    user = await steps.join_for(house, partner)
    theirs = await steps.register_system(house, ("partner", partner.id))
    of_all_partners = await steps.register_system(house)
    feeds = [steps.FeedReader(house, system) for system in (theirs, of_all_partners)]
    for feed in feeds:
        await feed.read()
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(Receiver())
        for system in (theirs, of_all_partners):
            url = receiver.url(f"/ok/{system.id}")
            await stack.enter_async_context(steps.subscribed(house, system, url, *EVERYTHING))
        agreement = await everything_that_happens_to_a_draft(house, partner)
        await http_does_not_know_it(house, user, agreement)
        # What comes after it in the same streams has arrived, so what is not there will not come.
        sent = await steps.send(house, await steps.draft(house, partner))
        for feed in feeds:
            await feed_says_nothing_of_it(house, feed, agreement, sent)
        await receiver.until(lambda: paths_that_told(receiver, sent) == 2, timeout_s=30)
        assert paths_that_told(receiver, agreement) == 0
    await nobody_told_the_user(house, user, agreement, sent)
    await it_is_known_once_it_is_sent(house, user, agreement)


async def everything_that_happens_to_a_draft(house: House, partner: Partner) -> dict[str, Any]:
    """Its text changes, and a hold is put on it and taken off."""
    agreement = await steps.draft(house, partner)
    path = f"/agreements/v1/agreements/{agreement['id']}"
    await house.post(OFFICER, f"{path}/texts", {"text": f"{steps.TEXT}\nAnd a school."})
    reason = {"reason": "The accounts are late"}
    await house.post(OFFICER, f"/partners/v1/partners/{partner.id}/suspensions", reason)
    await house.see(OFFICER, path, lambda seen: seen["holds"] == ["partner_suspended"])
    await house.post(OFFICER, f"/partners/v1/partners/{partner.id}/reinstatements", reason)
    seen: dict[str, Any] = await house.see(OFFICER, path, lambda seen: seen["holds"] == [])
    return seen


async def http_does_not_know_it(house: House, user: Person, agreement: dict[str, Any]) -> None:
    path = f"/agreements/v1/agreements/{agreement['id']}"
    client = house.as_(user.subject)
    for part in ("", "/text", "/manifest", "/evidence"):
        answer = await client.get(path + part)
        assert (answer.status_code, answer.json()["code"]) == (404, "agreement_not_found"), part
    signing = steps.signature(agreement, "partner", user.name)
    refused = await house.try_post(user.subject, f"{path}/signatures", signing)
    unknown = await house.try_post(
        user.subject, f"/agreements/v1/agreements/{'agr_' + '0' * 26}/signatures", signing
    )
    assert {**refused.json(), "instance": "", "id": ""} == {**unknown.json(), "instance": "", "id": ""}
    for query in ({}, {"status": "draft"}, {"partner_id": agreement["partner_id"]}):
        assert (await house.get(user.subject, "/agreements/v1/agreements", **query))["items"] == []


async def feed_says_nothing_of_it(
    house: House, feed: FeedReader, agreement: dict[str, Any], sent: dict[str, Any]
) -> None:
    async def is_level() -> bool:
        return sent["id"] in [item["subject"] for item in await feed.read()]

    await house.eventually(is_level)
    assert agreement["id"] not in str(feed.items)
    assert agreement["title"] not in str(feed.items)


def paths_that_told(receiver: Receiver, agreement: dict[str, Any]) -> int:
    told = {call.path for call in receiver.requests if json.loads(call.body)["subject"] == agreement["id"]}
    return len(told)


async def nobody_told_the_user(
    house: House, user: Person, agreement: dict[str, Any], sent: dict[str, Any]
) -> None:
    inbox = await house.see(
        user.subject, "/notifications/v1/inbox", lambda page: sent["id"] in str(page), limit="200"
    )
    assert agreement["id"] not in str(inbox)
    assert agreement["title"] not in str(inbox)
    mail = await house.see(
        steps.OPERATOR, "/notifications/v1/mailbox", lambda box: sent["ref"] in str(box), to=user.email
    )
    assert agreement["title"] not in str(mail)
    for path in ("tasks", "deliveries"):
        found = await house.get(user.subject, f"/notifications/v1/{path}", limit="200")
        assert agreement["id"] not in str(found)


async def it_is_known_once_it_is_sent(house: House, user: Person, agreement: dict[str, Any]) -> None:
    path = f"/agreements/v1/agreements/{agreement['id']}"
    await steps.send(house, agreement)
    known = await house.get(user.subject, path)
    assert known["status"] == "in_signature"
    assert (await house.get(user.subject, f"{path}/text"))["content"].endswith("And a school.")
