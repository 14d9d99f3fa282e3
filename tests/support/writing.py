"""A register in miniature, on the real storage: one aggregate whose events are the house's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from shared.clock import SystemClock
from shared.context import Context, system_actor
from shared.contracts.envelope import Event
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.contracts.vocabulary import PartnerKind
from shared.errors import Refusal
from shared.ids import new_id
from shared.messaging import parked
from shared.service import Runtime
from shared.storage import event_log, timers
from shared.storage.change import SealedEvent
from shared.storage.committer import Committer
from shared.storage.documents import Index, create_indexes
from shared.storage.event_log import Writer
from shared.storage.mongo import Driver, Mongo
from shared.storage.repository import Repository, Unit

NOON = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Member:
    id: str
    name: str
    suspensions: int = 0
    suspended: bool = False

    @classmethod
    def begin(cls, event: Event) -> Self:
        assert isinstance(event, PartnerRegistered)
        return cls(id=event.partner_id, name=event.legal_name)

    def apply(self, event: Event) -> Self:
        match event:
            case PartnerSuspended():
                return replace(self, suspended=True, suspensions=self.suspensions + 1)
            case PartnerReinstated():
                return replace(self, suspended=False)
        raise AssertionError(f"a member cannot apply {event.type}")

    def toggle(self) -> list[Event]:
        if self.suspended:
            return [PartnerReinstated(partner_id=self.id, reason="the accounts came")]
        return [PartnerSuspended(partner_id=self.id, reason="the accounts are late")]


members = Repository(
    Member,
    collection="members",
    noun="member",
    prefix="ptn",
    service="partners",
    indexed=lambda member: {"name": member.name},
    indexes=(
        Index(
            name="one_member_a_name",
            keys=(("name", 1),),
            unique=True,
            refusal=Refusal("member_exists", "There is a member of that name"),
        ),
    ),
)


def registered(id: str, name: str) -> PartnerRegistered:
    return PartnerRegistered(
        partner_id=id,
        legal_name=name,
        name_key=name.casefold(),
        kind=PartnerKind.CIVIL_SOCIETY,
        country="KEN",
        contact_id="prs_01JD0000000000000000000002",
    )


@dataclass
class Writing:
    mongo: Mongo
    committer: Committer
    runtime: Runtime
    committed: list[SealedEvent] = field(default_factory=list)

    def context(self, **changes: Any) -> Context:
        return replace(self.runtime.context(system_actor("test")), **changes)

    async def register(self, name: str | None = None, id: str | None = None) -> Member:
        id = id or new_id("ptn")

        async def work(unit: Unit) -> Member:
            return members.create(unit, id, [registered(id, name or id)])

        return await self.runtime.perform(self.context(), work)

    async def toggle(self, id: str) -> Member:
        async def work(unit: Unit) -> Member:
            member = await members.load(unit, id)
            return members.save(unit, member, member.toggle())

        return await self.runtime.perform(self.context(), work)

    async def stored(self, id: str) -> dict[str, Any]:
        document: dict[str, Any] | None = await self.mongo["members"].find_one({"_id": id})
        assert document is not None
        return document


async def assert_parity(unit: Unit) -> None:
    """What the stream gives is what is stored, for every aggregate the unit wrote."""
    for write in unit.change.aggregates.values():
        state, version, link = await members.replay(unit.mongo, write.id)
        document = await unit.mongo[write.collection].find_one({"_id": write.id})
        if (
            document["version"] != version
        ):  # Somebody else has gone on meanwhile; their command is checked too.
            continue
        assert document["state"] == state
        assert document["hash"] == link


@asynccontextmanager
async def open_writing(url: str, database: str, driver: Driver = "motor") -> AsyncIterator[Writing]:
    mongo = Mongo(url, database, driver=driver)
    await event_log.prepare(mongo)
    await create_indexes(mongo, [members.documents, timers.DOCUMENTS, parked.DOCUMENTS])
    seen: list[SealedEvent] = []

    async def new_log(writer: Writer) -> None:
        return None

    committer = Committer(mongo, "test", seen.extend, new_log)
    await committer.start()
    runtime = Runtime("partners", mongo, SystemClock(), committer)
    runtime.observers.append(assert_parity)
    try:
        yield Writing(mongo, committer, runtime, seen)
    finally:
        await committer.stop()
        await mongo.client.drop_database(database)
        await mongo.close()
