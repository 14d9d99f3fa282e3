"""Where open deliveries are, and how a sender takes, keeps and gives up its hold on them.

A delivery under way is `pending` with a lease: a token nobody else has, and a due time pushed forward by the
lease's length. So the row never leaves the due index, and when a sender dies the lease simply comes due: no
reaper, nothing stuck. Every write names the token it was leased under, so one that comes too late changes
nothing.

Three kinds do not stand in the due index: those waiting behind an earlier one of their lane, those parked for
a target that takes nothing now, and the settled ones. What is looked through is therefore small, however much
is kept for endpoints that are down.

Not needed for correctness: the sweep. It repairs what a crash between two writes may leave (a lane whose next
one was not let out), and finds what other processes parked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from services.notifications.deliveries.documents import ATTEMPTS, DELIVERIES, attempt_row, item_of
from services.notifications.deliveries.domain.delivery import Again, Item, SetAside, State, attempts_after
from shared.clock import Clock
from shared.contracts.notifications.delivery import Channel
from shared.ids import new_id
from shared.storage.mongo import Mongo

# Longer than one delivery of the channel can take; a mail server may think about a message for minutes.
LEASE_S: Mapping[Channel, float] = {Channel.INBOX: 60.0, Channel.WEBHOOK: 60.0, Channel.EMAIL: 300.0}
CLAIM_MAX = 500
SWEPT_MAX = 1_000
LOOKED_AT_MAX = 200
# How long something is kept for an endpoint that takes nothing.
PARKED_DAYS_MAX = 30
DISABLED = "disabled"
DUPLICATE_KEY = 11000


class Ledger:
    def __init__(self, mongo: Mongo, clock: Clock, *, lease_s: Mapping[Channel, float] = LEASE_S) -> None:
        self._deliveries = mongo[DELIVERIES]
        self._attempts = mongo[ATTEMPTS]
        self._clock = clock
        self._lease_s = lease_s

    def new_lease(self, channel: Channel) -> tuple[str, datetime]:
        """A token, and until when what is leased under it is its holder's."""
        return new_id("lse"), self._clock.real() + timedelta(seconds=self._lease_s[channel])

    async def claim_due(self, channel: Channel, limit: int) -> list[Item]:
        """Take what is due, the longest due first."""
        now = self._clock.real()
        due = {"channel": channel.value, "state": State.PENDING.value, "due": {"$lte": now}}
        return await self._take(channel, due, sort=[("due", 1)], limit=limit)

    async def claim_parked(self, channel: Channel, target: str, limit: int) -> list[Item]:
        """Take the oldest of what is kept for a target. What was kept while it was disabled begins to age
        now: it could not be tried before.
        """
        parked = {"channel": channel.value, "target": target, "state": State.PARKED.value}
        was_disabled = {"$eq": ["$reason", DISABLED]}
        released = {"$cond": [was_disabled, self._clock.real(), {"$ifNull": ["$released_at", None]}]}
        return await self._take(
            channel, parked, sort=[("queued_at", 1)], limit=limit, also={"released_at": released}
        )

    async def claim_expired(self, channel: Channel, limit: int) -> list[Item]:
        """Take what has been kept for its target longer than anything is."""
        before = self._clock.real() - timedelta(days=PARKED_DAYS_MAX)
        expired = {
            "channel": channel.value,
            "target": {"$in": await self.parked_targets(channel)},
            "state": State.PARKED.value,
            "queued_at": {"$lt": before},
        }
        return await self._take(channel, expired, sort=[("queued_at", 1)], limit=limit)

    async def _take(
        self,
        channel: Channel,
        free: dict[str, Any],
        *,
        sort: Any,
        limit: int,
        also: Mapping[str, Any] = MappingProxyType({}),
    ) -> list[Item]:
        found = await self._deliveries.find(free, {"_id": 1}).sort(sort).limit(limit).to_list(length=limit)
        if not found:
            return []
        lease, until = self.new_lease(channel)
        mine = {**free, "_id": {"$in": [document["_id"] for document in found]}}
        edit = {"state": State.PENDING.value, "reason": None, "due": until, "lease": lease, **also}
        await self._deliveries.update_many(mine, [{"$set": edit}])
        return await self._leased([document["_id"] for document in found], lease)

    async def _leased(self, keys: Sequence[str], lease: str) -> list[Item]:
        cursor = self._deliveries.find({"_id": {"$in": keys}, "lease": lease})
        by_key = {document["_id"]: item_of(document) async for document in cursor}
        return [by_key[key] for key in keys if key in by_key]

    async def next_due_s(self, channel: Channel, at_most_s: float) -> float:
        """How long until something is due."""
        query = {"channel": channel.value, "state": State.PENDING.value}
        first = await self._deliveries.find_one(query, {"due": 1}, sort=[("due", 1)])
        if first is None:
            return at_most_s
        wait_s: float = (first["due"] - self._clock.real()).total_seconds()
        return min(max(wait_s, 0.0), at_most_s)

    async def put_off(self, results: Iterable[tuple[Item, Again]]) -> None:
        """Due again later, and what the attempt showed."""
        now = self._clock.real()
        edits, rows = [], []
        for item, result in results:
            edit = {
                "due": now + timedelta(seconds=result.after_s),
                "lease": None,
                "reason": result.reason,
                "attempts": attempts_after(item, result),
            }
            edits.append(UpdateOne(_held(item), {"$set": edit}))
            if result.evidence is not None:
                rows.append(InsertOne(attempt_row(item, result.evidence, "again")))
        await self._write(edits, rows)

    async def park(self, results: Iterable[tuple[Item, SetAside]]) -> None:
        """Keep them for their targets, out of the due index: one touch a delivery, however long it lasts."""
        edits, rows = [], []
        for item, result in results:
            edit = {
                "state": State.PARKED.value,
                "reason": result.reason,
                "lease": None,
                "attempts": attempts_after(item, result),
            }
            edits.append(UpdateOne(_held(item), {"$set": edit, "$unset": {"due": ""}}))
            if result.evidence is not None:
                rows.append(InsertOne(attempt_row(item, result.evidence, "set_aside")))
        await self._write(edits, rows)

    async def _write(self, edits: list[UpdateOne], rows: list[InsertOne[Any]]) -> None:
        if edits:
            await self._deliveries.bulk_write(edits, ordered=False)
        if rows:
            await self._attempts.bulk_write(rows, ordered=False)

    async def give_back(self, items: Iterable[Item]) -> None:
        """Due at once, for whoever comes next: this sender stops."""
        edit = {"$set": {"due": self._clock.real(), "lease": None}}
        edits = [UpdateOne(_held(item), edit) for item in items]
        if edits:
            await self._deliveries.bulk_write(edits, ordered=False)

    async def held_leases(self, keys: Sequence[str]) -> set[tuple[str, str]]:
        """Of deliveries that nobody has settled: each with the lease it is held under now."""
        query = {"_id": {"$in": keys}, "state": State.PENDING.value}
        cursor = self._deliveries.find(query, {"lease": 1})
        return {(document["_id"], document["lease"]) async for document in cursor}

    async def let_out(self, channel: Channel, lanes: Iterable[str]) -> list[Item]:
        """Open the next of each lane that has none open. The unique index decides between two who try."""
        wanted = list(dict.fromkeys(lanes))
        firsts = await self._first_waiting(wanted)
        if firsts:
            taken = self._deliveries.find({"lane": {"$in": list(firsts)}, "open": True}, {"lane": 1})
            async for document in taken:
                firsts.pop(document["lane"], None)
        if not firsts:
            return []
        lease, until = self.new_lease(channel)
        opening = {"state": State.PENDING.value, "open": True, "due": until, "lease": lease}
        keys = list(firsts.values())
        edits = [UpdateOne({"_id": key, "state": State.WAITING.value}, {"$set": opening}) for key in keys]
        try:
            await self._deliveries.bulk_write(edits, ordered=False)
        except BulkWriteError as error:
            if any(one["code"] != DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise
        return await self._leased(keys, lease)

    async def _first_waiting(self, lanes: Sequence[str]) -> dict[str, str]:
        """Mostly none waits, which one look tells. A long lane may hide others from it, so it looks again
        for the rest, and never reads a lane from end to end.
        """
        firsts: dict[str, str] = {}
        left = list(lanes)
        while left:
            query = {"lane": {"$in": left}, "state": State.WAITING.value}
            some = self._deliveries.find(query, {"lane": 1}).limit(LOOKED_AT_MAX)
            found = {document["lane"] async for document in some}
            if not found:
                break
            for lane in found:
                query = {"lane": lane, "state": State.WAITING.value}
                first = await self._deliveries.find_one(query, {"_id": 1}, sort=[("version", 1)])
                if first is not None:
                    firsts[lane] = first["_id"]
            left = [lane for lane in left if lane not in found]
        return firsts

    async def taken_lanes(self, lanes: Sequence[str]) -> set[str]:
        """Those in which something is open, or waits to be. In this order: what is let out in between is
        seen as the one or as the other.
        """
        taken: set[str] = set()
        for state in ({"state": State.WAITING.value}, {"open": True}):
            cursor = self._deliveries.find({"lane": {"$in": lanes}, **state}, {"lane": 1})
            taken.update([document["lane"] async for document in cursor])
        return taken

    async def known(self, event_ids: Sequence[str]) -> set[str]:
        """Which deliveries of these events are there."""
        cursor = self._deliveries.find({"event_id": {"$in": event_ids}}, {"_id": 1})
        return {document["_id"] async for document in cursor}

    async def waiting_lanes(self, channel: Channel, older_than_s: float) -> list[str]:
        """Lanes in which something has waited for a while: mostly rightly so."""
        before = self._clock.real() - timedelta(seconds=older_than_s)
        query = {"channel": channel.value, "state": State.WAITING.value, "queued_at": {"$lt": before}}
        cursor = self._deliveries.find(query, {"lane": 1}).sort("queued_at", 1).limit(SWEPT_MAX)
        return list(dict.fromkeys([document["lane"] async for document in cursor]))

    async def parked_targets(self, channel: Channel) -> list[str]:
        query = {"channel": channel.value, "state": State.PARKED.value}
        found: list[str] = await self._deliveries.distinct("target", query)
        return found


def _held(item: Item) -> Mapping[str, Any]:
    return {"_id": item.key, "lease": item.lease, "state": State.PENDING.value}
