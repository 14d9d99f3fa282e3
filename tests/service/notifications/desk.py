"""Notifications without the broker: events are heard as records, and everything behind that is real.

A `Desk` is one process of the service, put together as its composition root does it, with the times that a
test cannot wait for made short. Two desks in one `Database` are two processes.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from services.notifications.address_book.documents import ADDRESSES
from services.notifications.deliveries import documents as deliveries_documents
from services.notifications.deliveries.carrier import Carrier
from services.notifications.deliveries.documents import DELIVERIES
from services.notifications.deliveries.ledger import LEASE_S, Ledger
from services.notifications.deliveries.opening import Opening
from services.notifications.deliveries.readers import Readers
from services.notifications.deliveries.sending import Pace, Sender
from services.notifications.deliveries.subscribers import subscriptions as people_hear
from services.notifications.email.adapters.mailbox import DemoMailbox
from services.notifications.email.adapters.smtp import SmtpMailer, SmtpSettings, Tls
from services.notifications.email.carrier import EmailCarrier
from services.notifications.email.domain import Mailbox
from services.notifications.inbox.carrier import InboxCarrier
from services.notifications.inbox.documents import COUNTERS_KEPT, INBOX_KEPT
from services.notifications.inbox.streams import Streams
from services.notifications.webhooks import documents as webhooks_documents
from services.notifications.webhooks.adapters.http_sender import HttpSender
from services.notifications.webhooks.bodies import Bodies
from services.notifications.webhooks.book import Book
from services.notifications.webhooks.carrier import WebhookCarrier
from services.notifications.webhooks.commands import NewSecret, RegisterEndpoint
from services.notifications.webhooks.handlers import Premises, register_endpoint
from services.notifications.webhooks.signing import SealingKeys
from services.notifications.webhooks.subscribers import subscriptions as systems_hear
from shared.clock import Clock, SystemClock
from shared.context import Actor
from shared.contracts import catalogue
from shared.contracts.envelope import Event, Provenance, open_envelope, seal
from shared.contracts.notifications.delivery import Channel
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.contracts.partners.person import PersonAdmitted, RoleGranted, RoleWithdrawn, Scope
from shared.contracts.partners.system import SystemRegistered
from shared.contracts.vocabulary import Grant, PartnerKind, Role, ScopeKind
from shared.http.directory_projection import COLLECTION as DIRECTORY_KEPT
from shared.http.directory_projection import SUBSCRIPTION as DIRECTORY_HEARS
from shared.ids import new_id, uuid7
from shared.messaging import parked
from shared.messaging.consumer import Consumer
from shared.messaging.parked import RawRecord
from shared.service import Runtime
from shared.storage import event_log, timers
from shared.storage.change import EVENTS
from shared.storage.committer import Committer
from shared.storage.documents import create_indexes
from shared.storage.event_log import Writer
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit
from shared.telemetry import Metrics
from tests.service.notifications.sending import GATE
from tests.support.road import until

KEYS = SealingKeys(current="test", keys={"test": bytes(32)})
KEPT = (
    *deliveries_documents.COLLECTIONS,
    deliveries_documents.delivery_facts.documents,
    *webhooks_documents.COLLECTIONS,
    webhooks_documents.endpoints.documents,
    INBOX_KEPT,
    COUNTERS_KEPT,
    DIRECTORY_KEPT,
    timers.DOCUMENTS,
    parked.DOCUMENTS,
)
QUICK = Pace(poll_s=0.02, sweep_s=0.2, clock_margin_s=0.05)

R = TypeVar("R")


@dataclass
class Topics:
    """What the other services say: the next version of a subject, at the next offset."""

    versions: Counter[str] = field(default_factory=Counter)
    offsets: Counter[str] = field(default_factory=Counter)

    def record(self, event: Event, *, at: Clock, trace: str | None = None) -> RawRecord:
        service, subject = _origin(event)
        topic = f"concord.{service}.v1"
        self.versions[subject] += 1
        self.offsets[topic] += 1
        provenance = Provenance(
            actor="prs_1",
            time=at.now(),
            recorded_at=at.real(),
            correlation_id=str(uuid7()),
            traceparent=trace,
        )
        body = seal(
            event,
            id=str(uuid7()),
            source=f"/concord/{service}",
            subject=subject,
            version=self.versions[subject],
            provenance=provenance,
        )
        return RawRecord(
            topic=topic,
            partition=0,
            offset=self.offsets[topic],
            key=subject.encode(),
            value=body,
            headers=(),
        )


def _origin(event: Event) -> tuple[str, str]:
    """Who says it, in whose stream. Tasks stand in the stream of what they are about."""
    if isinstance(event, TaskAssigned | TaskDone):
        return "agreements", event.about
    fields, names = event.model_dump(), ("agreement_id", "person_id", "system_id", "partner_id")
    service = type(event).__module__.split(".")[2]
    return service, str(next(fields[name] for name in names if name in fields))


@dataclass
class Ways:
    """The three ways out, and what they look things up in."""

    book: Book
    bodies: Bodies
    readers: Readers
    streams: Streams
    webhooks: WebhookCarrier
    email: EmailCarrier
    inbox: InboxCarrier

    @classmethod
    def of(cls, runtime: Runtime, mailbox: DemoMailbox, webhook_timeout_s: float) -> "Ways":
        mongo = runtime.mongo
        book, bodies, readers = Book(mongo), Bodies(mongo), Readers(mongo, runtime.clock)
        streams = Streams(mongo, runtime.clock, heartbeat_s=0.2)
        webhooks = WebhookCarrier(
            runtime,
            book=book,
            bodies=bodies,
            readers=readers,
            keys=KEYS,
            open_sender=lambda: HttpSender(GATE),
            timeout_s=webhook_timeout_s,
        )
        mail = SmtpSettings(host=mailbox.host, port=mailbox.port, tls=Tls.OFF)
        email = EmailCarrier(
            runtime,
            readers=readers,
            sender=Mailbox("concord@example.org"),
            open_mailer=lambda: SmtpMailer(mail),
        )
        return cls(
            book, bodies, readers, streams, webhooks, email, InboxCarrier(readers.may_be_told, streams)
        )

    @property
    def all(self) -> dict[Channel, Carrier]:
        return {Channel.INBOX: self.inbox, Channel.EMAIL: self.email, Channel.WEBHOOK: self.webhooks}


@dataclass
class Desk:
    """One process; its senders run once `start` was called."""

    mongo: Mongo
    runtime: Runtime
    topics: Topics
    mailbox: DemoMailbox
    ledger: Ledger
    ways: Ways
    senders: dict[Channel, Sender]
    consumers: dict[str, list[Consumer]]
    running: list[asyncio.Task[None]] = field(default_factory=list)

    # What is heard

    async def hear(self, *events: Event, trace: str | None = None) -> list[RawRecord]:
        records = [self.topics.record(event, at=self.runtime.clock, trace=trace) for event in events]
        await self.hear_again(records)
        return records

    async def hear_again(self, records: Iterable[RawRecord], *, only: str = "") -> None:
        """As one batch a topic."""
        by_topic: dict[str, list[RawRecord]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        for topic, batch in by_topic.items():
            for consumer in self.consumers[topic]:
                if only in consumer.name:
                    await consumer.handle(batch)

    async def admit(self, role: Role, *, email: str | None = None, **scope: str) -> str:
        person = new_id("prs")
        parts = tuple(Scope(kind=ScopeKind(kind), value=value) for kind, value in scope.items())
        await self.hear(
            PersonAdmitted(person_id=person, subject=person, language="en", zone="UTC"),
            RoleGranted(person_id=person, role=role, scope=parts),
        )
        if email is not None:
            await self.know_address(person, email)
        return person

    async def withdraw(self, person: str, role: Role, **scope: str) -> None:
        parts = tuple(Scope(kind=ScopeKind(kind), value=value) for kind, value in scope.items())
        await self.hear(RoleWithdrawn(person_id=person, role=role, scope=parts))

    async def know_address(self, person: str, email: str, language: str = "en") -> None:
        address = {"erased": False, "name": "Amina Otieno", "email": email, "language": language}
        await self.mongo[ADDRESSES].update_one({"_id": person}, {"$set": address}, upsert=True)

    async def register_system(self, *partners: str) -> str:
        system = new_id("sys")
        scope = tuple(Scope(kind=ScopeKind.PARTNER, value=partner) for partner in partners)
        await self.hear(SystemRegistered(system_id=system, label="Portal", owner_id="prs_1", scope=scope))
        return system

    async def register_partner(self) -> tuple[str, str]:
        partner, contact = new_id("ptn"), new_id("prs")
        await self.hear(registered(partner, contact))
        return partner, contact

    async def endpoint(self, url: str, *types: str, owner: str | None = None) -> NewSecret:
        """An endpoint of a system that is registered for all partners, or of this owner."""
        owner = owner or await self.register_system()
        actor = Actor(id=owner, grants=(Grant(Role.EXTERNAL_SYSTEM),))
        command = RegisterEndpoint(url=url, types=types or ("*",))
        premises = Premises(gate=GATE, keys=KEYS)

        async def work(unit: Unit) -> NewSecret:
            return await register_endpoint(command, unit, premises)

        made = await self.perform(work, actor)
        await self.ways.book.look()
        return made

    async def perform(self, work: Callable[[Unit], Awaitable[R]], actor: Actor) -> R:
        return await self.runtime.perform(self.runtime.context(actor), work)

    # What runs

    async def start(self, *channels: Channel) -> None:
        for channel in channels or tuple(Channel):
            self.running.append(asyncio.create_task(self.senders[channel].run()))

    async def stop(self) -> None:
        for sender in self.senders.values():
            sender.stop()
        await asyncio.gather(*self.running)
        self.running.clear()

    async def die(self) -> None:
        """As a process does that is killed: nothing is settled, nothing given back."""
        for task in self.running:
            task.cancel()
        await asyncio.gather(*self.running, return_exceptions=True)
        self.running.clear()
        for sender in self.senders.values():
            for attempt in tuple(sender.under_way):
                attempt.cancel()
            await asyncio.gather(*sender.under_way, return_exceptions=True)

    async def try_again_now(self, *, attempts: int) -> None:
        """What was put off after so many attempts is due at once."""
        await self.until_put_off(attempts=attempts)
        due = {"$set": {"due": self.runtime.clock.real()}}
        await self.mongo[DELIVERIES].update_many(_put_off(attempts), due)

    async def until_put_off(self, *, attempts: int) -> None:
        async def there() -> bool:
            return bool(await self.mongo[DELIVERIES].count_documents(_put_off(attempts)))

        await until(there)

    # What became of it

    async def deliveries(self, **query: Any) -> list[dict[str, Any]]:
        cursor = self.mongo[DELIVERIES].find(query).sort([("queued_at", 1), ("version", 1)])
        found: list[dict[str, Any]] = await cursor.to_list(length=10_000)
        return found

    async def states(self, **query: Any) -> Counter[str]:
        return Counter(one["state"] for one in await self.deliveries(**query))

    async def until_states(self, *, within_s: float = 30.0, channel: str = "", **counts: int) -> None:
        query = {"channel": channel} if channel else {}
        try:
            await until(lambda: self._has(query, counts), within_s)
        except AssertionError:
            raise AssertionError(f"{dict(await self.states(**query))}, not {counts}") from None

    async def _has(self, query: Mapping[str, Any], counts: Mapping[str, int]) -> bool:
        return dict(await self.states(**query)) == counts

    async def facts(self) -> list[Event]:
        """What deliveries came to, as others hear of it, in the order of their commits."""
        found = self.mongo[EVENTS].find({"stream": {"$regex": "^dlv_"}}).sort("seq", 1)
        return [catalogue.event_of(open_envelope(event["body"])) async for event in found]

    async def close(self) -> None:
        await self.stop()
        await self.ways.webhooks.close()
        await self.ways.email.close()
        await self.mailbox.close()
        await self.runtime.committer.stop()


def _put_off(attempts: int) -> dict[str, Any]:
    return {"state": "pending", "lease": None, "attempts": attempts}


@dataclass
class Database:
    """A database of notifications, and the processes on it."""

    mongo: Mongo
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    topics: Topics = field(default_factory=Topics)

    @asynccontextmanager
    async def emptied(self) -> AsyncIterator["Database"]:
        """As it is for one test: the indexes stay, the processes end with it."""
        names = await self.mongo.database.list_collection_names()
        for name in names:
            await self.mongo[name].delete_many({})
        async with AsyncExitStack() as stack:
            yield Database(self.mongo, stack)

    async def desk(
        self,
        *,
        lease_s: float | None = None,
        pace: Pace = QUICK,
        clock: Clock | None = None,
        webhook_timeout_s: float = 2.0,
        wrap: Callable[[Carrier], Carrier] = lambda carrier: carrier,
        ledger_kind: type[Ledger] = Ledger,
    ) -> Desk:
        """`lease_s`: of every channel; `wrap`: puts something around each way out."""
        clock, mailbox = clock or SystemClock(), DemoMailbox()
        committer = Committer(self.mongo, "desk", lambda events: None, no_relay)
        await committer.start()
        await mailbox.start()
        runtime = Runtime("notifications", self.mongo, clock, committer)
        runtime.observers.append(assert_parity)
        leases = LEASE_S if lease_s is None else dict.fromkeys(Channel, lease_s)
        ledger = ledger_kind(self.mongo, clock, lease_s=leases)
        ways = Ways.of(runtime, mailbox, webhook_timeout_s)
        senders = {
            channel: Sender(runtime, ledger, wrap(carrier), pace) for channel, carrier in ways.all.items()
        }
        opening = Opening(ledger, {channel: sender.hand_over for channel, sender in senders.items()})
        desk = Desk(
            mongo=self.mongo,
            runtime=runtime,
            topics=self.topics,
            mailbox=mailbox,
            ledger=ledger,
            ways=ways,
            senders=senders,
            consumers=_heard(runtime, opening, ways),
        )
        await ways.book.look()
        self.stack.push_async_callback(desk.close)
        return desk


def _heard(runtime: Runtime, opening: Opening, ways: Ways) -> dict[str, list[Consumer]]:
    """The consumers of each topic."""
    endpoints = systems_hear(opening, ways.book, ways.bodies, ways.webhooks)
    found: dict[str, list[Consumer]] = {}
    for subscription in (DIRECTORY_HEARS, *people_hear(opening), *endpoints):
        found.setdefault(subscription.topic, []).append(Consumer(runtime, subscription, Metrics()))
    return found


async def assert_parity(unit: Unit) -> None:
    """What the stream gives is what is stored, unless somebody has gone on meanwhile."""
    repositories = (deliveries_documents.delivery_facts, webhooks_documents.endpoints)
    by_collection: dict[str, Any] = {repository.collection: repository for repository in repositories}
    for write in unit.change.aggregates.values():
        state, version, link = await by_collection[write.collection].replay(unit.mongo, write.id)
        document = await unit.mongo[write.collection].find_one({"_id": write.id})
        if document["version"] == version:
            assert (document["state"], document["hash"]) == (state, link)


async def no_relay(writer: Writer) -> None:
    return None


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    mongo = Mongo(url, f"notified_{new_id('t')[-12:].lower()}")
    await event_log.prepare(mongo)
    await create_indexes(mongo, KEPT)
    try:
        yield Database(mongo)
    finally:
        await mongo.client.drop_database(mongo.database.name)
        await mongo.close()


# What happens elsewhere


def registered(partner: str, contact: str | None = None) -> PartnerRegistered:
    return PartnerRegistered(
        partner_id=partner,
        legal_name=f"Federation {partner[-4:]}",
        name_key=partner.casefold(),
        kind=PartnerKind.CIVIL_SOCIETY,
        country="KEN",
        contact_id=contact or new_id("prs"),
    )


def suspended(partner: str, reason: str = "The accounts are late") -> PartnerSuspended:
    return PartnerSuspended(partner_id=partner, reason=reason)


def reinstated(partner: str) -> PartnerReinstated:
    return PartnerReinstated(partner_id=partner, reason="The accounts came")


def toggles(partner: str, count: int) -> list[Event]:
    return [suspended(partner) if number % 2 == 0 else reinstated(partner) for number in range(count)]


def an(event: type[Event], **changes: Any) -> Event:
    """An event like its example."""
    return event.model_validate({**event.example, **changes})
