"""A partner is suspended while something waits for its signature, and reinstated."""

from typing import Any

import pytest

from tests.journeys import steps
from tests.journeys.steps import OFFICER, SIGNATORY, Partner, Person
from tests.support.house import House

pytestmark = pytest.mark.asyncio
HELD = ["partner_suspended"]


async def test_nothing_is_signed_while_the_partner_is_suspended_and_what_waited_goes_on_after_it(
    house: House,
) -> None:
    partner = await steps.register_partner(house)
    user = await steps.join_for(house, partner)
    agreement = await steps.send(house, await steps.draft(house, partner))
    only_drafted = await steps.draft(house, partner)
    await suspend(house, partner)
    await is_held(house, agreement, HELD)
    await is_held(house, only_drafted, HELD)
    await nothing_goes_forward(house, user, agreement, only_drafted)
    await tells_of(house, user, agreement, "agreement.hold_opened.v1")
    reason = {"reason": "The accounts were received"}
    await house.post(OFFICER, f"/partners/v1/partners/{partner.id}/reinstatements", reason)
    await is_held(house, agreement, [])
    await tells_of(house, user, agreement, "agreement.hold_closed.v1")
    await steps.sign(house, user.subject, agreement, "partner", user.name)
    await steps.sign(house, SIGNATORY, agreement, "organisation", "Étienne Lefèvre")
    signed = await house.get(OFFICER, f"/agreements/v1/agreements/{agreement['id']}")
    assert (signed["status"], len(signed["signatures"])) == ("in_force", 2)
    await steps.send(house, only_drafted)


async def suspend(house: House, partner: Partner) -> None:
    path, reason = f"/partners/v1/partners/{partner.id}", {"reason": "The accounts are two years late"}
    suspended = await house.post(OFFICER, f"{path}/suspensions", reason)
    assert suspended["status"] == "suspended"
    assert await house.post(OFFICER, f"{path}/suspensions", reason) == suspended


async def is_held(house: House, agreement: dict[str, Any], holds: list[str]) -> None:
    path = f"/agreements/v1/agreements/{agreement['id']}"
    await house.see(OFFICER, path, lambda seen: seen["holds"] == holds)


async def nothing_goes_forward(
    house: House, user: Person, agreement: dict[str, Any], only_drafted: dict[str, Any]
) -> None:
    signatures = f"/agreements/v1/agreements/{agreement['id']}/signatures"
    of_partner = steps.signature(agreement, "partner", user.name)
    of_us = steps.signature(agreement, "organisation", "Étienne Lefèvre")
    rounds = f"/agreements/v1/agreements/{only_drafted['id']}/signing-rounds"
    refused = [
        await house.try_post(user.subject, signatures, of_partner),
        await house.try_post(SIGNATORY, signatures, of_us),
        await house.try_post(OFFICER, rounds),
    ]
    for answer in refused:
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["holds"]) == (423, "on_hold", HELD)


async def tells_of(house: House, user: Person, agreement: dict[str, Any], event_type: str) -> None:
    for who in (user.subject, OFFICER):
        await house.see(
            who,
            "/notifications/v1/inbox",
            lambda page: (
                (event_type, agreement["id"])
                in [(item["event_type"], item["about"]) for item in page["items"]]
            ),
            limit="200",
        )
