"""The inbox over HTTP: in order, once, one's own; and as a stream that can be taken up again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.notifications.inbox.documents import COUNTERS, INBOX
from services.notifications.inbox.streams import BEHIND_MAX
from shared.contracts.vocabulary import Role
from shared.ids import new_id
from tests.service.notifications.desk import registered, suspended, toggles
from tests.service.notifications.front import Front
from tests.support.road import until

pytestmark = pytest.mark.asyncio


@dataclass
class Frame:
    """One server-sent event."""

    id: str = ""
    event: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class Reader:
    lines: AsyncIterator[str]
    seen: list[str] = field(default_factory=list)

    async def line(self) -> str:
        async with asyncio.timeout(10):
            line = await anext(self.lines)
        self.seen.append(line)
        return line

    async def frame(self) -> Frame:
        """The next event, whatever keeps the connection alive in between."""
        found = Frame()
        while True:
            line = await self.line()
            name, _, value = line.partition(": ")
            if line == "" and found.event:
                return found
            if name == "data":
                found.data = json.loads(value)
            elif name in ("id", "event"):
                setattr(found, name, value)

    async def ended(self) -> bool:
        try:
            while True:
                await self.line()
        except StopAsyncIteration:
            return True


@asynccontextmanager
async def following(front: Front, who: str, last: str | None = None, **claims: Any) -> AsyncIterator[Reader]:
    headers = {**front.as_(who, **claims), **({} if last is None else {"Last-Event-ID": last})}
    async with front.http.stream("GET", "/notifications/v1/inbox/stream", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        reader = Reader(answer.aiter_lines())
        assert await reader.line() == "retry: 3000"
        yield reader


async def items_of(front: Front, who: str) -> list[dict[str, Any]]:
    page = await front.read(who, "/inbox")
    items: list[dict[str, Any]] = page["items"]
    return items


async def has_items(front: Front, who: str, count: int) -> None:
    async def there() -> bool:
        return len(await items_of(front, who)) == count

    await until(there)


async def test_what_i_was_told_is_there_the_newest_first_in_my_language(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER, language="es")
    partner = new_id("ptn")
    await front.hear(registered(partner), suspended(partner))
    await has_items(front, officer, 2)
    newest, oldest = await items_of(front, officer)
    assert (newest["seq"], oldest["seq"]) == (2, 1)
    assert newest["subject"].endswith("está suspendido como asociado")
    assert (oldest["language"], oldest["about"], oldest["read_at"]) == ("es", partner, None)


async def test_reading_an_item_twice_reads_it_once(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    await front.hear(registered(new_id("ptn")))
    await has_items(front, officer, 1)
    (item,) = await items_of(front, officer)
    first = await front.post(officer, f"/inbox/{item['id']}/readings")
    second = await front.post(officer, f"/inbox/{item['id']}/readings")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["read_at"] == second.json()["read_at"] is not None


async def test_somebody_elses_item_is_not_there(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    await front.hear(registered(new_id("ptn")))
    await has_items(front, officer, 1)
    stranger = await front.admit(Role.SIGNATORY)
    (item,) = await items_of(front, officer)
    for id in (item["id"], new_id("dlv"), "x" * 500):
        refused = await front.post(stranger, f"/inbox/{id}/readings")
        assert refused.status_code == 404, refused.text
    assert await items_of(front, stranger) == []


async def test_a_stream_brings_items_as_they_come_in_order(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    partner = new_id("ptn")
    async with following(front, officer) as reader:
        await front.hear(registered(partner), *toggles(partner, 2))
        frames = [await reader.frame() for _ in range(3)]
    assert [(frame.id, frame.event, frame.data["seq"]) for frame in frames] == [
        ("1", "item", 1),
        ("2", "item", 2),
        ("3", "item", 3),
    ]


async def test_a_stream_that_is_taken_up_again_misses_nothing(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    partner = new_id("ptn")
    await front.hear(registered(partner), *toggles(partner, 3))
    await has_items(front, officer, 4)
    async with following(front, officer, last="2") as reader:
        assert [(await reader.frame()).id for _ in range(2)] == ["3", "4"]


async def test_who_is_too_far_behind_is_told_to_read_anew(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    rows = [
        {"_id": f"dlv_{seq}", "person": officer, "seq": seq, "read_at": None}
        for seq in range(1, BEHIND_MAX + 2)
    ]
    item = {"event_id": "e", "event_type": "t", "about": "a", "at": front.runtime.clock.now()}
    content = {"words": "partner_registered", "label": "A"}
    await front.mongo[INBOX].insert_many([{**row, **item, "content": content} for row in rows])
    await front.mongo[COUNTERS].insert_one({"_id": officer, "seq": BEHIND_MAX + 1})
    async with following(front, officer, last="0") as reader:
        frame = await reader.frame()
    assert (frame.event, frame.id) == ("resync", str(BEHIND_MAX + 1))
    async with following(front, officer, last="1") as reader:
        assert (await reader.frame()).event == "item", "exactly as far behind as may be"


async def test_a_fifth_stream_of_a_person_ends_the_first(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    async with following(front, officer) as first:
        async with following(front, officer), following(front, officer), following(front, officer):
            async with following(front, officer) as fifth:
                assert await first.ended()
                await front.hear(registered(new_id("ptn")))
                assert (await fifth.frame()).event == "item"


async def test_a_stream_ends_with_the_token(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    soon = int(front.runtime.clock.real().timestamp()) + 1
    async with following(front, officer, exp=soon) as reader:
        assert await reader.ended()


async def test_an_item_that_another_process_placed_comes_as_well(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    async with following(front, officer) as reader:
        content = {"words": "partner_registered", "label": "A"}
        await front.mongo[INBOX].insert_one(
            {
                "_id": new_id("dlv"),
                "person": officer,
                "seq": 1,
                "event_id": "e",
                "event_type": "partner.registered.v1",
                "about": "ptn_1",
                "content": content,
                "at": front.runtime.clock.now(),
                "read_at": None,
            }
        )
        await front.mongo[COUNTERS].insert_one({"_id": officer, "seq": 1})
        assert (await reader.frame()).data["about"] == "ptn_1"


async def test_a_last_event_id_that_is_none_of_ours_is_refused(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    headers = {**front.as_(officer), "Last-Event-ID": "latest"}
    refused = await front.http.get("/notifications/v1/inbox/stream", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "last_event_id_malformed")
