"""What is read of the register, and whose it is to read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.partners.people.commands import Details
from services.partners.people.queries import details_of
from services.partners.register.documents import NAME_SORT_LENGTH, NOTICES, partners
from services.partners.register.domain.name_key import name_key
from services.partners.register.domain.partner import Partner, PartnerStatus
from shared.context import Actor
from shared.contracts.notifications.delivery import Channel
from shared.contracts.vocabulary import PartnerKind, ScopeKind
from shared.errors import Forbidden, NotFound
from shared.http.paging import Page, PageAsked, page_of
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit

SAME_NAME_MAX = 10

# No text of the same beginning comes after it: the database compares texts by their bytes.
_LAST = "\U0010ffff"


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Which partners somebody's permission speaks of: these, and those of these countries. None: all."""

    partner_ids: frozenset[str] | None
    countries: frozenset[str] | None

    @classmethod
    def of(cls, actor: Actor, permission: str) -> "Reach":
        return cls(
            partner_ids=actor.scopes(permission, ScopeKind.PARTNER),
            countries=actor.scopes(permission, ScopeKind.COUNTRY),
        )

    @property
    def is_unlimited(self) -> bool:
        return self.partner_ids is None or self.countries is None

    def includes(self, partner: Partner) -> bool:
        if self.partner_ids is None or self.countries is None:
            return True
        return partner.id in self.partner_ids or partner.country in self.countries

    @property
    def condition(self) -> dict[str, Any]:
        if self.partner_ids is None or self.countries is None:
            return {}
        ids, countries = sorted(self.partner_ids), sorted(self.countries)
        return {"$or": [{"_id": {"$in": ids}}, {"country": {"$in": countries}}]}


async def partner_in_reach(unit: Unit, id: str, permission: str) -> Partner:
    """404 also for what is not theirs to know."""
    partner = await partners.load(unit, id)
    if not Reach.of(unit.context.actor, permission).includes(partner):
        raise NotFound("partner_not_found", "There is no such partner", id=id)
    return partner


def require_reach(unit: Unit, partner: Partner, permission: str) -> None:
    """Of a partner that is being made: its maker knows of it, so there is nothing to hide."""
    if not Reach.of(unit.context.actor, permission).includes(partner):
        raise Forbidden("outside_your_scope", "Your role does not reach partners of this country")


async def contact_of(unit: Unit, partner: Partner) -> Details:
    kept = None if partner.contact_id is None else await details_of(unit.mongo, partner.contact_id)
    if kept is None:
        raise NotFound("contact_not_found", "The contact person's details were erased")
    return kept


def partners_wanted(
    reach: Reach,
    *,
    kind: PartnerKind | None,
    country: str | None,
    status: PartnerStatus | None,
    name: str | None,
) -> dict[str, Any]:
    filters = {"kind": kind, "country": country, "status": status}
    chosen = {field: value for field, value in filters.items() if value is not None}
    return {"$and": [reach.condition, chosen, _begins_with(name_key(name or ""))]}


async def counts_by_kind(mongo: Mongo, wanted: dict[str, Any]) -> dict[PartnerKind, int]:
    """How many of each kind there are among those wanted, of one reading: their sum is the number of all."""
    pipeline = [{"$match": wanted}, {"$group": {"_id": "$kind", "count": {"$sum": 1}}}]
    found = await mongo.aggregate(partners.collection, pipeline)
    counted = {document["_id"]: document["count"] for document in found}
    return {kind: counted.get(kind, 0) for kind in PartnerKind}


async def partners_of_name(unit: Unit, legal_name: str, country: str | None = None) -> list[Partner]:
    """Those in the reader's reach that are called the same, in that country or in any."""
    key = name_key(legal_name)
    if not key:
        return []
    same = {"name_key": key, **({} if country is None else {"country": country})}
    reach = Reach.of(unit.context.actor, "partner:read")
    wanted = {"$and": [same, reach.condition]}
    found = unit.mongo[partners.collection].find(wanted).sort("country", 1).limit(SAME_NAME_MAX)
    return [partners.restore(document) async for document in found]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What became of one notice. `recipient` is None where the reader may not know who it went to."""

    id: str
    event_type: str
    channel: Channel
    outcome: str
    reason: str | None
    attempts: int
    at: datetime
    recipient: str | None


async def notices_of(unit: Unit, partner: Partner, paging: PageAsked) -> Page[Notice]:
    """The latest first; to the partner's own users, those of what they may know."""
    unlimited = Reach.of(unit.context.actor, "delivery:read").is_unlimited
    wanted = {"partner_id": partner.id, **({} if unlimited else {"shown_to_partner": True})}

    def make(document: dict[str, Any]) -> Notice:
        plain = {name: document[name] for name in ("event_type", "outcome", "reason", "attempts", "at")}
        recipient = document["recipient"] if unlimited else None
        return Notice(id=document["_id"], channel=Channel(document["channel"]), recipient=recipient, **plain)

    latest = [("at", -1), ("_id", -1)]
    return await page_of(unit.mongo[NOTICES.name], wanted, paging=paging, make=make, sort=latest)


def _begins_with(key: str) -> dict[str, Any]:
    """By the sorted part of the name, which has the index, and by the rest of it where more was asked for."""
    if not key:
        return {}
    sorted_part = key[:NAME_SORT_LENGTH]
    begins = {"name_sort": {"$gte": sorted_part, "$lt": sorted_part + _LAST}}
    rest = {} if key == sorted_part else {"name_key": {"$gte": key, "$lt": key + _LAST}}
    return {**begins, **rest}
