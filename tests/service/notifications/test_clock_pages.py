"""The demo's clock on a screen: one button moves the whole house, and shows who did not come along."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from deploy.local.ports import free_port
from shared.clock import MovableClock
from shared.ids import new_id
from tests.support.browsing import browser_at
from tests.support.house import House, open_house

pytestmark = pytest.mark.asyncio

PATH = "/notifications/clock"
DAY_S = 86_400


@pytest_asyncio.fixture(scope="module")
async def house(mongo_url: str, kafka_bootstrap: str) -> AsyncIterator[House]:
    async with open_house(mongo_url, kafka_bootstrap, f"clock{new_id('c')[-8:].lower()}") as opened:
        await opened.until_ready()
        yield opened


def level(house: House) -> timedelta:
    """How far ahead the whole house is."""
    found = set(ahead(house).values())
    assert len(found) == 1, f"they show different times: {ahead(house)}"
    return found.pop()


def ahead(house: House) -> dict[str, timedelta]:
    found = {}
    for name, one in house.served.items():
        clock = one.application.clock
        assert isinstance(clock, MovableClock)
        found[name] = clock.ahead
    return found


async def test_the_whole_house_moves_on_by_one_button_and_only_forward(house: House) -> None:
    operator, before = browser_at(house, "operator"), level(house)
    page = await operator.get(PATH)
    assert page.status == 200 and "For the house it is" in page.words
    moved = await operator.submit(page, {"step": "864000"}, to=f"{PATH}/advances")
    assert "The house has moved on." in moved.words and "By the clock on the wall it is" in moved.words
    assert level(house) == before + timedelta(days=10)
    again = await operator.submit(page, {"step": "864000"}, to=f"{PATH}/advances")
    assert again.status == 200 and level(house) == before + timedelta(days=10), "the same form, once"
    chosen = await operator.submit(moved, {"step": "other", "days": "3"}, to=f"{PATH}/advances")
    assert chosen.status == 200 and level(house) == before + timedelta(days=13)
    for days in ("", "-4", "0", "99999", "three"):
        refused = await operator.submit(
            moved, {"step": "other", "days": days, "_key": new_id("k")}, to=f"{PATH}/advances"
        )
        assert refused.status == 422 and "days" in refused.wrong
    assert level(house) == before + timedelta(days=13)
    assert (await browser_at(house, "officer").get(PATH)).status == 403


async def test_a_service_that_is_behind_is_shown_and_brought_level(house: House) -> None:
    before = level(house)
    await house.post("operator", "/notifications/v1/clock/advances", {"by_s": DAY_S})
    operator = browser_at(house, "operator")
    page = await operator.get(PATH)
    assert "Not every clock shows the same" in page.words and "partners: it is behind" in page.words
    page = await operator.submit(page, to=f"{PATH}/levels")
    assert "Not every clock" not in page.words and level(house) == before + timedelta(days=1)
    await house.post("operator", "/partners/v1/clock/advances", {"by_s": DAY_S})
    page = await operator.get(PATH)
    assert "partners: it is ahead" in page.words
    await operator.submit(page, to=f"{PATH}/levels")
    assert level(house) == before + timedelta(days=2)


async def test_a_service_that_cannot_be_reached_is_named_and_the_rest_moves(
    mongo_url: str, kafka_bootstrap: str
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    name = f"clock{new_id('c')[-8:].lower()}"
    async with open_house(mongo_url, kafka_bootstrap, name, agreements_url=nobody) as house:
        await house.until_ready()
        operator = browser_at(house, "operator")
        page = await operator.submit(await operator.get(PATH), {"step": "3600"}, to=f"{PATH}/advances")
        assert "Not every service could be reached." in page.words
        assert "agreements: it did not answer" in page.words
        assert ahead(house)["notifications"] == ahead(house)["partners"] == timedelta(hours=1)


async def test_only_the_house_itself_may_level_a_clock(house: House) -> None:
    before = level(house)
    answer = await house.try_post("operator", "/partners/v1/clock/levels", {"ahead_s": DAY_S})
    assert answer.status_code == 403 and level(house) == before
