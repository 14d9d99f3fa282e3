"""From a partner that nobody knows to a memorandum on hold, on the screens alone: once by keyboard, once with
JavaScript off.
"""

from contextlib import AsyncExitStack

import pytest

from tests.browser import walking
from tests.browser.visitors import Visitors
from tests.browser.walking import Names, new_names
from tests.browser.ways import KEYBOARD, WITHOUT_SCRIPT, Walk, Way
from tests.journeys.steps import any_mark

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("walk", [KEYBOARD, WITHOUT_SCRIPT], ids=lambda walk: walk.name)
async def test_from_a_new_partner_to_a_memorandum_that_is_on_hold(visitors: Visitors, walk: Walk) -> None:
    names = new_names()
    async with AsyncExitStack() as windows:
        people = {
            who: await windows.enter_async_context(walk.window(visitors, who))
            for who in ("officer", "chief", "operator", "auditor")
        }
        invited = await windows.enter_async_context(walk.window(visitors, f"sign-in|{any_mark()}"))
        partner_id = await a_partner_with_a_user(people, invited, names)
        agreement_id = await a_memorandum_signed_by_both(people, invited, names, partner_id)
        await what_a_suspension_does(people, invited, names, partner_id, agreement_id)


async def a_partner_with_a_user(people: dict[str, Way], invited: Way, names: Names) -> str:
    partner_id = await walking.register(people["officer"], names)
    address = await walking.invite(people["officer"], names, partner_id)
    await walking.told_by_mail(people["operator"], names.speaker_email, "You are invited to speak")
    await walking.join(invited, names, address)
    return partner_id


async def a_memorandum_signed_by_both(
    people: dict[str, Way], invited: Way, names: Names, partner_id: str
) -> str:
    await walking.register_endpoint(people["operator"])
    agreement_id = await walking.draft(people["officer"], names, partner_id)
    ref = await walking.send(people["officer"], agreement_id)
    await walking.sign_from_my_work(people["chief"], ref, "Étienne Lefèvre")
    await walking.sign_from_my_work(invited, ref, names.speaker)
    await walking.nothing_left_to_sign(invited, ref)
    await walking.told_in_inbox(people["officer"], walking.news(ref, "is in force"))
    await walking.told_by_mail(people["operator"], names.speaker_email, walking.news(ref, "is in force"))
    await walking.told_by_webhook(people["operator"], "agreement.entered_into_force.v1", agreement_id)
    await walking.told_in_feed(people["auditor"], "agreement.entered_into_force.v1", agreement_id)
    return agreement_id


async def what_a_suspension_does(
    people: dict[str, Way], invited: Way, names: Names, partner_id: str, agreement_id: str
) -> None:
    await walking.suspend(people["officer"], names, partner_id)
    await walking.hold_explained(people["officer"], agreement_id)
    await walking.hold_explained(invited, agreement_id)
    await walking.told_in_inbox(invited, walking.news(names.partner, "is suspended as a partner"))
    await walking.reinstate(people["officer"], names, partner_id)
    await walking.hold_lifted(invited, agreement_id)
