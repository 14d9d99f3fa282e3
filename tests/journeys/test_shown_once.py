"""A key, an endpoint's secret and an invitation's code are shown once, to whoever asked for them: no copy of
the databases or of the topics gives them away.
"""

from collections.abc import MutableMapping
from typing import Any

import pytest

from tests.journeys import steps
from tests.journeys.searching import holds, places_sent, places_stored
from tests.journeys.steps import OFFICER
from tests.support.house import House

pytestmark = pytest.mark.asyncio


async def test_what_is_shown_once_is_found_nowhere_afterwards(
    house: House, said: list[MutableMapping[str, Any]]
) -> None:
    partner = await steps.register_partner(house)
    system = await steps.register_system(house, ("partner", partner.id))
    details = {"name": "Otieno", "email": "otieno@example.org", "language": "en", "zone": "UTC"}
    invitation = await house.post(OFFICER, f"/partners/v1/partners/{partner.id}/invitations", details)
    async with steps.subscribed(house, system, "http://127.0.0.1:9/nobody-listens", "consent.*") as secret:
        shown = {"key": system.key, "secret": secret.removeprefix("whsec_"), "code": invitation["code"]}
        for what, text in shown.items():
            assert await places_stored(house, text.lower()) == set(), what
            assert await places_sent(house, text.lower()) == set(), what
            assert not holds(said, text.lower()), what
    assert await places_stored(house, partner.id.lower())
    assert await places_sent(house, partner.id.lower())
