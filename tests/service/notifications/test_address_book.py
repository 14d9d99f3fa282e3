"""The address book: fetched by a job that is tried again, dropped at an erasure, and never brought back."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from services.notifications.address_book.adapters.partners_http import NoAddresses, PartnersHttp
from services.notifications.address_book.deadlines import deadlines
from services.notifications.address_book.documents import ADDRESSES
from services.notifications.address_book.domain import Address
from services.notifications.address_book.queries import address_of
from services.notifications.address_book.subscribers import FETCH, SUBSCRIPTIONS
from shared.context import system_actor
from shared.contracts.envelope import Event
from shared.contracts.partners.partner import PartnerContactErased
from shared.contracts.partners.person import PersonAdmitted, PersonErased, PersonInvited, PersonJoined
from shared.errors import Conflict, Permanent, Transient
from shared.ids import new_id
from shared.messaging.consumer import Consumer
from shared.storage.repository import Unit
from shared.storage.timers import TIMERS, OnDue, Timer, TimersLoop
from shared.telemetry import Metrics
from tests.service.notifications.desk import Database, Desk, an, registered
from tests.support.fixed_server import answering

pytestmark = pytest.mark.asyncio

PERSON = new_id("prs")
AMINA = Address(person_id=PERSON, name="Amina Otieno", email="amina@example.org", language="en")


@dataclass
class Book:
    """The room by itself, with a source that a test can fail or hold."""

    desk: Desk
    consumer: Consumer
    source: "Held"

    async def hear(self, *events: Event) -> None:
        for event in events:
            await self.consumer.handle([self.desk.topics.record(event, at=self.desk.runtime.clock)])

    async def fire(self) -> int:
        runtime = self.desk.runtime

        async def perform(timer: Timer, handler: OnDue) -> None:
            async def work(unit: Unit) -> None:
                if await unit.get(TIMERS, timer.id) is None:
                    raise Conflict("timer_gone", "It was fired or cancelled meanwhile")
                await handler(timer, unit)

            context = runtime.context(system_actor(f"timer:{timer.kind}"), now=timer.due_at)
            await runtime.perform(context, work)

        loop = TimersLoop(self.desk.mongo, runtime.clock, dict(deadlines(self.source)), perform)
        return await loop.fire_due()

    async def find(self, person: str = PERSON) -> Address | None:
        return await address_of(self.desk.mongo, person)

    async def jobs(self) -> int:
        count: int = await self.desk.mongo[TIMERS].count_documents({"kind": FETCH})
        return count


@dataclass
class Held:
    """A source that answers when it is let, and fails as often as it is told."""

    inner: NoAddresses
    failures: list[Exception] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, person_id: str) -> Address | None:
        self.asked.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop()
        return await self.inner.fetch(person_id)

    async def close(self) -> None:
        await self.inner.close()


@pytest_asyncio.fixture
async def book(database: Database) -> AsyncIterator[Book]:
    desk = await database.desk()
    source = Held(NoAddresses({PERSON: AMINA}))
    source.gate.set()
    yield Book(desk, Consumer(desk.runtime, SUBSCRIPTIONS[0], Metrics()), source)


@pytest.mark.parametrize(
    "events",
    [
        [an(PersonAdmitted, person_id=PERSON)],
        [an(PersonInvited, person_id=PERSON)],
        [an(PersonInvited, person_id=PERSON), an(PersonJoined, person_id=PERSON)],
        [registered(new_id("ptn"), PERSON)],
    ],
)
async def test_an_address_is_fetched_for_whoever_is_heard_of(book: Book, events: Sequence[Event]) -> None:
    await book.hear(*events)
    assert (await book.jobs(), await book.find()) == (1, None)
    await book.fire()
    assert (await book.jobs(), await book.find()) == (0, AMINA)


@pytest.mark.parametrize("failure", [Transient("partners is away"), Permanent("a wrong key")])
async def test_a_fetch_that_fails_is_tried_again(book: Book, failure: Exception) -> None:
    book.source.failures.append(failure)
    await book.hear(an(PersonAdmitted, person_id=PERSON))
    await book.fire()
    assert (await book.jobs(), await book.find()) == (1, None)
    await book.desk.mongo[TIMERS].update_many({}, {"$set": {"claimed_until": None}})
    await book.fire()
    assert await book.find() == AMINA


@pytest.mark.parametrize(
    "erasure",
    [
        an(PersonErased, person_id=PERSON),
        an(PartnerContactErased, partner_id=new_id("ptn"), contact_id=PERSON),
    ],
)
async def test_what_is_erased_is_dropped_and_not_fetched_again(book: Book, erasure: Event) -> None:
    await book.hear(an(PersonAdmitted, person_id=PERSON))
    await book.fire()
    await book.hear(erasure)
    assert await book.find() is None
    kept = await book.desk.mongo[ADDRESSES].find_one({"_id": PERSON})
    assert "Amina" not in str(kept) and "amina@" not in str(kept)
    await book.hear(registered(new_id("ptn"), PERSON))
    assert (await book.jobs(), await book.find()) == (0, None)


async def test_an_answer_that_comes_after_the_erasure_is_not_kept(book: Book) -> None:
    book.source.gate.clear()
    await book.hear(an(PersonAdmitted, person_id=PERSON))
    fetching = asyncio.create_task(book.fire())
    await book.source.asked.wait()
    await book.hear(an(PersonErased, person_id=PERSON))
    book.source.gate.set()
    await fetching
    assert (await book.jobs(), await book.find()) == (0, None)
    kept = await book.desk.mongo[ADDRESSES].find_one({"_id": PERSON})
    assert kept is not None and kept["erased"]


async def test_somebody_partners_does_not_know_is_not_asked_for_for_ever(book: Book) -> None:
    stranger = new_id("prs")
    await book.hear(an(PersonAdmitted, person_id=stranger))
    await book.fire()
    assert (await book.jobs(), await book.find(stranger)) == (0, None)


def http(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} Answer\r\nContent-Length: {len(body)}\r\nContent-Type: application/json\r\n\r\n"
    )
    return head.encode() + body


async def fetched(*pieces: bytes, hang: bool = False) -> Address | None:
    async with answering(*pieces, hang=hang) as url:
        source = PartnersHttp(url, "k" * 32, timeout_s=0.3)
        try:
            return await source.fetch(PERSON)
        finally:
            await source.close()


async def test_partners_answer_is_an_address() -> None:
    body = {"name": "Amina Otieno", "email": "amina@example.org", "language": "en", "more": 1}
    assert await fetched(http(200, json.dumps(body).encode())) == AMINA


async def test_nobody_there_is_no_address() -> None:
    assert await fetched(http(404, b"{}")) is None


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_partners_that_cannot_answer_now_are_asked_again(status: int) -> None:
    with pytest.raises(Transient):
        await fetched(http(status, b"{}"))


async def test_partners_that_say_nothing_are_asked_again() -> None:
    with pytest.raises(Transient):
        await fetched(hang=True)


@pytest.mark.parametrize(
    ("status", "body"), [(401, b"{}"), (302, b"{}"), (200, b"[]"), (200, b'{"name": "Amina Otieno"}')]
)
async def test_an_answer_that_only_a_person_can_mend_tells_no_name(status: int, body: bytes) -> None:
    with pytest.raises(Permanent) as failure:
        await fetched(http(status, body))
    assert "Amina" not in str(failure.value)
