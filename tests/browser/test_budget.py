"""What a first visit costs: bytes on the wire, and the time the house takes with 5,000 partners in it."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from services.partners.register.domain.name_key import name_key
from shared.ids import new_id
from tests.browser.visitors import Visitors
from tests.browser.watch import watching
from tests.journeys import steps
from tests.support.browsing import Browser, browser_at
from tests.support.house import House, open_house

pytestmark = pytest.mark.asyncio

ALL_BYTES_MAX = 60_000
SCRIPT_BYTES_MAX = 20_000
SERVED_MS_MAX = 100
PARTNERS, TASKS = 5_000, 200
TIMES = 20
KINDS = ("government", "un_entity", "local_government", "civil_society")
COUNTRIES = ("BRA", "EGY", "IND", "KEN", "SEN", "URY")


@dataclass
class Wire:
    """What the browser says that came over the wire, headers and all, compressed as it was."""

    scripts: set[str] = field(default_factory=set)
    script_bytes: int = 0
    all_bytes: int = 0

    def begins(self, what: dict[str, Any]) -> None:
        if what["type"] == "Script":
            self.scripts.add(what["requestId"])

    def ended(self, what: dict[str, Any]) -> None:
        came = int(what["encodedDataLength"])
        self.all_bytes += came
        self.script_bytes += came if what["requestId"] in self.scripts else 0


async def first_load(page: Page, path: str, origin: str) -> Wire:
    """With nothing kept from before."""
    wire, devtools = Wire(), await page.context.new_cdp_session(page)
    devtools.on("Network.responseReceived", wire.begins)
    devtools.on("Network.loadingFinished", wire.ended)
    await devtools.send("Network.enable")
    await devtools.send("Network.clearBrowserCache")
    with watching(page, origin) as watch:
        await page.goto(path)
        await watch.until_settled()
    await devtools.detach()
    return wire


@pytest.mark.parametrize("path", ["/", "/partners"])
async def test_a_first_visit_costs_little(visitors: Visitors, things: dict[str, str], path: str) -> None:
    async with visitors.window("officer") as page:
        wire = await first_load(page, path, visitors.house.url)
    assert wire.scripts, "the page has scripts, and they were counted"
    assert 0 < wire.script_bytes <= SCRIPT_BYTES_MAX, f"{wire.script_bytes} bytes of script"
    assert wire.script_bytes < wire.all_bytes <= ALL_BYTES_MAX, f"{wire.all_bytes} bytes in all"


# Time, in a full house of its own.


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def full_house(mongo_url: str, kafka_bootstrap: str) -> AsyncIterator[House]:
    async with open_house(mongo_url, kafka_bootstrap, f"full{new_id('f')[-8:].lower()}") as house:
        await house.until_ready()
        await _fill(house)
        yield house


@pytest.mark.parametrize("path", ["/", "/partners", "/partners?sort=country", "/partners?name=a"])
async def test_a_full_house_answers_at_once(full_house: House, path: str) -> None:
    officer = browser_at(full_house, "officer")
    took_ms = [await _served_ms(officer, path) for _ in range(TIMES)]
    assert median(took_ms) < SERVED_MS_MAX, [round(one) for one in took_ms]


async def _served_ms(officer: Browser, path: str) -> float:
    """With the way there and back, on this machine."""
    began = time.perf_counter()
    page = await officer.get(path)
    assert (page.status, page.path) == (200, path.partition("?")[0])
    return (time.perf_counter() - began) * 1_000


async def _fill(house: House) -> None:
    """Documents as the house itself made the first of each; their events are not what is measured."""
    partner = await steps.register_partner(house)
    await steps.send(house, await steps.draft(house, partner))
    await house.see("chief", "/notifications/v1/tasks", lambda seen: seen["items"])
    registered, waiting = house.databases["partners"]["partners"], house.databases["notifications"]["tasks"]
    first = await registered.find_one({"_id": partner.id})
    task = await waiting.find_one({"role": {"$ne": None}, "open": True})
    await registered.insert_many([_like(first, number) for number in range(PARTNERS)])
    await waiting.insert_many([{**task, "_id": new_id("tsk")} for _ in range(TASKS)])


def _like(first: Any, number: int) -> dict[str, Any]:
    name = f"{chr(ord('A') + number % 26)} Federation of the residents of ward {number}"
    kind, country = KINDS[number % len(KINDS)], COUNTRIES[number % len(COUNTRIES)]
    id, key = new_id("ptn"), name_key(name)
    said = {"legal_name": name, "name_key": key, "kind": kind, "country": country}
    kept = {"name_key": key, "name_sort": key, "kind": kind, "country": country}
    return {**first, **kept, "_id": id, "state": {**first["state"], **said, "id": id}}
