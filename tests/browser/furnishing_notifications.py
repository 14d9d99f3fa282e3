"""What the screens of notifications show: a webhook, something that was sent to it, and an event."""

from tests.support.browsing import Browser, browser_at
from tests.support.house import House
from tests.support.road import until

WEBHOOKS = "/notifications/webhooks"


async def furnished_notifications(house: House) -> dict[str, str]:
    """Something must happen after this for there to be a delivery: `delivered` waits for it."""
    operator = browser_at(house, "operator")
    page = await operator.submit(
        await operator.get(f"{WEBHOOKS}/new"),
        {"url": f"{house.url}{WEBHOOKS}/demo-receiver", "types": "*"},
        to=WEBHOOKS,
    )
    assert page.status == 201, page.words
    return {"endpoint": page.links["I have it: go on to the endpoint"].rsplit("/", 1)[1]}


async def delivered(house: House, endpoint: str) -> dict[str, str]:
    operator, auditor = browser_at(house, "operator"), browser_at(house, "auditor")
    return {
        "delivery": await _first(operator, f"{WEBHOOKS}/{endpoint}", f"{WEBHOOKS}/deliveries/"),
        "event": await _first(auditor, "/notifications/feed", "/notifications/feed/events/"),
    }


async def _first(browser: Browser, path: str, beginning: str) -> str:
    async def found() -> list[str]:
        links = (await browser.get(path)).links.values()
        return [
            link.removeprefix(beginning).partition("?")[0] for link in links if link.startswith(beginning)
        ]

    async def is_there() -> bool:
        return bool(await found())

    await until(is_there)
    return (await found())[0]
