"""F7: members come to a consumer group and leave it all the time, in the middle of slow work."""

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from shared.messaging.broker import Listening
from shared.messaging.subscription import OnEvent, Received, Subscription
from shared.storage.repository import Unit
from tests.faults import trial
from tests.faults.checker import findings
from tests.faults.evidence import gather, heard_by
from tests.faults.house import House, open_house
from tests.faults.scale import scale
from tests.faults.settling import settle
from tests.faults.worker import Ground

pytestmark = pytest.mark.asyncio(loop_scope="session")

STORM_S = scale(20.0, 300.0)
CHANGE_EVERY_S = scale(2.0, 5.0)
LISTENERS_MAX = 4
BATCH_RECORDS = 20
SLOW_PERCENT = 2
SLOW_S_MIN, SLOW_S_MAX = 0.1, scale(1.0, 3.0)
# Of a hundred commands, how many go to the one member that everybody wants.
SKEW_MEMBERS = 10


def slowly(handler: OnEvent) -> OnEvent:
    async def handle(event: Any, received: Received, unit: Unit) -> None:
        if random.randrange(100) < SLOW_PERCENT:
            await asyncio.sleep(random.uniform(SLOW_S_MIN, SLOW_S_MAX))
        await handler(event, received, unit)

    return handle


async def storm(house: House, subscription: Subscription) -> None:
    """Every moment somebody joins, or somebody leaves, never the last."""
    loop = asyncio.get_running_loop()
    listening: list[Listening] = [await house.listen(subscription, BATCH_RECORDS)]
    end = loop.time() + STORM_S
    while loop.time() < end:
        await asyncio.sleep(CHANGE_EVERY_S)
        if len(listening) == 1 or (len(listening) < LISTENERS_MAX and random.random() < 0.5):
            listening.append(await house.listen(subscription, BATCH_RECORDS))
        else:
            await listening.pop(random.randrange(len(listening))).stop()
    for one in listening[1:]:
        await one.stop()
    await settle(house.ground, heard=heard_by([subscription]))
    await listening[0].stop()


@pytest.mark.timeout(scale(120, 700))
async def test_a_storm_of_rebalances_doubles_no_effect_and_loses_none(ground: Ground) -> None:
    effects = trial.effects_subscription()
    slow = replace(effects, handlers={event: slowly(handler) for event, handler in effects.handlers.items()})
    async with open_house(ground) as house:
        callers = house.callers(rate=40, members=SKEW_MEMBERS)
        calling = asyncio.create_task(callers.run())
        asyncio.get_running_loop().call_later(STORM_S, callers.worker.stop)
        await storm(house, slow)
        await calling
    evidence = await gather(ground, heard_by([effects]))
    assert findings(evidence) == []
    assert len(evidence.effects) > 20 * STORM_S
