"""Who a recipient is to the directory now: asked when a delivery is made, and again each time it is sent.

A role that was withdrawn in between counts: what somebody may not know any more is not sent to them, on any
channel, however long the delivery has waited. The answer is remembered for half a second, so a burst to one
endpoint does not ask for its owner a thousand times, and a withdrawal still ends everything within a second.
A no is never given from memory: it ends the delivery for good, and the role may have come meanwhile.

A partner's contact person need not be in the directory. They are told what a user of that partner would be,
for as long as they are its contact.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from services.notifications.deliveries.documents import SUBJECTS
from services.notifications.deliveries.domain.delivery import Item
from services.notifications.deliveries.domain.disclosure import Reader, may_know
from shared.clock import Clock
from shared.contracts.vocabulary import Grant, Role, ScopeKind
from shared.http.directory import Entry, Loan
from shared.http.directory_projection import DIRECTORY
from shared.storage.mongo import Mongo

REMEMBERED_S = 0.5
REMEMBERED_MAX = 10_000


class Readers:
    def __init__(self, mongo: Mongo, clock: Clock) -> None:
        self._mongo, self._clock = mongo, clock
        self._remembered: dict[tuple[str, str | None], tuple[float, Reader]] = {}

    async def may_be_told(self, item: Item) -> bool:
        """Whether whoever the delivery is for may know of the event at this moment."""
        about, known = item.about, self._known(item.owner, item.speaks_for)
        if known is not None and may_know(about.visibility, about.audience, known):
            return True
        reader = await self._look_up(item.owner, item.speaks_for)
        self._remember(item.owner, item.speaks_for, reader)
        return may_know(about.visibility, about.audience, reader)

    async def reader(self, id: str) -> Reader:
        """Who they are now, with what is lent to them."""
        known = self._known(id, None)
        if known is not None:
            return known
        reader = await self._look_up(id, None)
        self._remember(id, None, reader)
        return reader

    def _known(self, id: str, speaks_for: str | None) -> Reader | None:
        since, reader = self._remembered.get((id, speaks_for), (0.0, None))
        return reader if asyncio.get_running_loop().time() - since < REMEMBERED_S else None

    def _remember(self, id: str, speaks_for: str | None, reader: Reader) -> None:
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered.clear()
        self._remembered[id, speaks_for] = (asyncio.get_running_loop().time(), reader)

    async def _look_up(self, id: str, speaks_for: str | None) -> Reader:
        reader = await self._in_directory(id)
        if speaks_for is None:
            return reader
        partner = await self._mongo[SUBJECTS].find_one({"_id": speaks_for})
        is_contact = partner is not None and partner["contact_id"] == id
        return with_partner(reader, speaks_for) if is_contact else reader

    async def _in_directory(self, id: str) -> Reader:
        document = await self._mongo[DIRECTORY].find_one({"_id": id})
        if document is None or not document.get("delegations"):
            return reader_of(id, document)
        entry, now = _entry(document), self._clock.now()
        lending = self._mongo[DIRECTORY].find({"_id": {"$in": sorted(entry.lenders_at(now))}})
        lenders = {lender["_id"]: _entry(lender) async for lender in lending}
        return Reader(id=id, grants=entry.actor_at(now, lenders).grants)


def reader_of(id: str, document: Mapping[str, Any] | None) -> Reader:
    """As the directory has them. Who is not in it, or was erased, holds nothing."""
    if document is None:
        return Reader(id=id)
    return Reader(id=id, grants=tuple(_grant(held) for held in document["grants"]))


def _entry(document: Mapping[str, Any]) -> Entry:
    loans = (
        Loan(
            id=lent["id"],
            on_behalf_of=lent["on_behalf_of"],
            grant=_grant(lent),
            starts_at=lent["starts_at"],
            ends_at=lent["ends_at"],
        )
        for lent in document["delegations"]
    )
    grants = tuple(_grant(held) for held in document["grants"])
    return Entry(id=document["_id"], grants=grants, loans=tuple(loans))


def _grant(held: Mapping[str, Any]) -> Grant:
    return Grant(held["role"], tuple((kind, value) for kind, value in held["scope"]))


def with_partner(reader: Reader, partner_id: str) -> Reader:
    own = Grant(Role.PARTNER_USER, ((ScopeKind.PARTNER, partner_id),))
    return Reader(id=reader.id, grants=(*reader.grants, own))
