"""The feed: who pulls misses nothing and gets nothing twice, of what they may know."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from services.notifications.deliveries.domain.disclosure import Reader
from services.notifications.deliveries.domain.types import TypeFilter
from services.notifications.deliveries.readers import Readers
from services.notifications.feed.arrivals import Arrivals
from services.notifications.feed.documents import FEED, MARKS
from services.notifications.feed.domain import Place, filter_hash
from services.notifications.feed.queries import Feed
from shared.contracts.agreements.agreement import AgreementDrafted, AgreementEnteredIntoForce
from shared.contracts.envelope import open_envelope
from shared.contracts.vocabulary import Grant, Role
from shared.ids import new_id
from shared.messaging.parked import RawRecord
from tests.service.notifications.desk import an, registered, suspended, toggles
from tests.service.notifications.front import Front

pytestmark = pytest.mark.asyncio


def ids(items: Sequence[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def id_of(record: RawRecord) -> str:
    return open_envelope(record.value).id


async def everything(front: Front, who: str, **query: Any) -> list[dict[str, Any]]:
    """Page by page until nothing is left."""
    found: list[dict[str, Any]] = []
    page = await front.read(who, "/events", **query)
    while page["items"] or page["has_more"]:
        found += page["items"]
        page = await front.read(who, "/events", **query, cursor=page["next"])
    return found


async def test_pages_of_any_size_give_every_event_once_and_each_subject_in_order(front: Front) -> None:
    auditor = await front.admit(Role.AUDITOR)
    partners = [new_id("ptn") for _ in range(4)]
    for partner in partners:
        await front.hear(registered(partner), *toggles(partner, 5))
    for limit in (1, 7, 500):
        items = await everything(front, auditor, limit=limit, types="partner.*")
        assert len(set(ids(items))) == len(items) == 24
        for partner in partners:
            versions = [int(item["sequence"]) for item in items if item["subject"] == partner]
            assert versions == [1, 2, 3, 4, 5, 6]


async def test_items_are_the_events_own_bytes(front: Front) -> None:
    auditor = await front.admit(Role.AUDITOR)
    (record,) = await front.hear(registered(new_id("ptn")))
    answer = await front.get(auditor, "/events", types="partner.*")
    assert b'{"items":[' + record.value + b"]," in answer.content


async def test_a_reader_at_the_end_gets_what_comes_and_nothing_that_was(front: Front) -> None:
    auditor = await front.admit(Role.AUDITOR)
    partner = new_id("ptn")
    await front.hear(registered(partner))
    start = await front.read(auditor, "/events", start="latest")
    assert (start["items"], start["has_more"], start["lag"]) == ([], False, 0)
    waiting = asyncio.create_task(front.read(auditor, "/events", cursor=start["next"], wait=20))
    await asyncio.sleep(0)
    (record,) = await front.hear(suspended(partner))
    assert ids((await waiting)["items"]) == [id_of(record)]


async def test_an_empty_answer_names_the_same_place(front: Front) -> None:
    auditor = await front.admit(Role.AUDITOR)
    start = await front.read(auditor, "/events", start="latest")
    again = await front.read(auditor, "/events", cursor=start["next"])
    assert again["next"] == start["next"]


async def test_a_reader_gets_what_they_may_know_and_moves_past_the_rest(front: Front) -> None:
    own, other = new_id("ptn"), new_id("ptn")
    _, key = await front.register_system(partner=own)
    agreement = {"agreement_id": new_id("agr"), "partner_id": other}
    await front.hear(registered(own), registered(other), suspended(other))
    await front.hear(an(AgreementDrafted, **{**agreement, "partner_id": own}))
    await front.hear(an(AgreementEnteredIntoForce, **agreement))
    items = await everything(front, key, limit=2)
    assert {(item["type"], item["data"]["partner_id"]) for item in items} == {
        ("partner.registered.v1", own),
        ("agreement.entered_into_force.v1", other),
    }


class Asked(Arrivals):
    """Says when somebody has begun to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.somebody_waits = asyncio.Event()

    async def wait(self, coming: asyncio.Event, at_most_s: float) -> None:
        self.somebody_waits.set()
        await super().wait(coming, at_most_s)


async def test_a_role_that_is_withdrawn_while_its_reader_waits_ends_what_they_get(front: Front) -> None:
    auditor, arrivals = await front.admit(Role.AUDITOR), Asked()
    feed = Feed(front.mongo, arrivals, Readers(front.mongo, front.runtime.clock))
    reader, types = Reader(id=auditor, grants=(Grant(Role.AUDITOR),)), TypeFilter.of(["partner.*"])
    place = Place(filter_hash=filter_hash(types), after=await feed.marks())
    waiting = asyncio.create_task(feed.read_or_wait(place, types, reader, limit=10, wait_s=1.5))
    await arrivals.somebody_waits.wait()
    await front.withdraw(auditor, Role.AUDITOR)
    await front.hear(registered(new_id("ptn")))
    arrivals.tell()
    assert (await waiting).bodies == []


async def test_an_event_that_comes_late_to_the_feed_is_not_skipped(front: Front) -> None:
    """It was parked: its predecessor was missing. When it is handled, readers have passed its offset."""
    auditor = await front.admit(Role.AUDITOR)
    partner, other = new_id("ptn"), new_id("ptn")
    first, second, third = (
        front.topics.record(event, at=front.runtime.clock)
        for event in (registered(partner), suspended(partner), registered(other))
    )
    (feed,) = [one for one in front.consumers[first.topic] if one.name.endswith("feed_of_partners")]
    await feed.handle([second, third])
    page = await front.read(auditor, "/events", types="partner.*")
    assert ids(page["items"]) == [id_of(third)]
    await feed.handle([first])
    page = await front.read(auditor, "/events", types="partner.*", cursor=page["next"])
    assert ids(page["items"]) == [id_of(first), id_of(second)]
    assert await front.mongo[MARKS].find_one({"_id": "concord.partners.v1:late"}) is not None


async def test_records_heard_again_make_no_second_item(front: Front) -> None:
    records = await front.hear(registered(new_id("ptn")), registered(new_id("ptn")))
    before = await front.mongo[FEED].count_documents({})
    for record in records:
        for consumer in front.consumers[record.topic]:
            await consumer.handle([record])
    assert await front.mongo[FEED].count_documents({}) == before == 2


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"cursor": "no cursor"}, 400, "cursor_malformed"),
        ({"types": "a b"}, 422, "type_glob_malformed"),
        ({"limit": 501}, 422, None),
        ({"wait": 26}, 422, None),
        ({"start": "middle"}, 422, None),
    ],
)
async def test_what_cannot_be_read_is_refused(
    front: Front, query: dict[str, Any], status: int, code: str | None
) -> None:
    auditor = await front.admit(Role.AUDITOR)
    refused = await front.get(auditor, "/events", **query)
    assert refused.status_code == status
    assert code is None or refused.json()["code"] == code


async def test_a_cursor_holds_for_the_types_it_was_made_for(front: Front) -> None:
    auditor = await front.admit(Role.AUDITOR)
    page = await front.read(auditor, "/events", types="partner.*")
    refused = await front.get(auditor, "/events", types="agreement.*", cursor=page["next"])
    assert (refused.status_code, refused.json()["code"]) == (400, "cursor_of_other_filter")


async def test_the_feed_is_for_those_with_the_permission(front: Front) -> None:
    officer = await front.admit(Role.PARTNERSHIP_OFFICER)
    refused = await front.get(officer, "/events")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
