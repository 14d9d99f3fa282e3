"""Who a rule's groups are, looked up once a batch in the directory and in what is known of subjects."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from services.notifications.deliveries.documents import SUBJECTS
from services.notifications.deliveries.domain.disclosure import Reader
from services.notifications.deliveries.domain.notice import Known, Told, addressees
from services.notifications.deliveries.domain.rules import Rule, Who
from services.notifications.deliveries.readers import reader_of, with_partner
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Role, ScopeKind
from shared.http.directory_projection import DIRECTORY
from shared.storage.repository import Unit

# A role held by more people than this needs a list of its own, not a notice to each.
HOLDERS_MAX = 5_000

log = structlog.get_logger()


class Recipients:
    """Of one unit: what was looked up for one record is not asked again for the next."""

    def __init__(self) -> None:
        self._found: dict[str, list[Told]] = {}

    async def groups(
        self, rule: Rule, event: Event, known: Known, unit: Unit
    ) -> Mapping[Who, Iterable[Told]]:
        return {who: await self._group(who, event, known, unit) for who, _ in rule.told}

    async def _group(self, who: Who, event: Event, known: Known, unit: Unit) -> list[Told]:
        partner_id = getattr(event, "partner_id", None)
        match who:
            case Who.OFFICERS:
                return await self._holders("officers", unit, {"grants.role": Role.PARTNERSHIP_OFFICER.value})
            case Who.PARTNER_USERS if partner_id is not None:
                return await self._users_of(partner_id, unit)
            case Who.CONTACT if partner_id is not None and known.contact_id is not None:
                reader = with_partner(await _reader(unit, known.contact_id), partner_id)
                return [Told(reader=reader, speaks_for=partner_id)]
            case Who.DRAFTING_OFFICER if known.officer_id is not None:
                return [Told(reader=await _reader(unit, known.officer_id))]
            case Who.ADDRESSEE:
                return [Told(reader=await _reader(unit, id)) for id in addressees(event)]
        return []

    async def _users_of(self, partner_id: str, unit: Unit) -> list[Told]:
        within = [ScopeKind.PARTNER.value, partner_id]
        grant = {"$elemMatch": {"role": Role.PARTNER_USER.value, "scope": within}}
        return await self._holders(partner_id, unit, {"grants.scope": within, "grants": grant})

    async def _holders(self, name: str, unit: Unit, query: dict[str, Any]) -> list[Told]:
        if name not in self._found:
            entries = unit.mongo[DIRECTORY].find(query).sort("_id", 1).limit(HOLDERS_MAX)
            found = await entries.to_list(length=HOLDERS_MAX)
            if len(found) == HOLDERS_MAX:
                log.warning("more_recipients_than_are_told", group=name, told=HOLDERS_MAX)
            self._found[name] = [Told(reader=reader_of(entry["_id"], entry)) for entry in found]
        return self._found[name]


async def known_of(event: Event, subject: str, unit: Unit) -> Known:
    """What earlier events said of the subject. Of a person that is whom they are to speak for."""
    about_partner = addressees(event) and getattr(event, "partner_id", None)
    document = await unit.get(SUBJECTS, about_partner or subject)
    if document is None:
        return Known(label=about_partner or subject)
    return Known(
        label=document["label"], contact_id=document["contact_id"], officer_id=document["officer_id"]
    )


async def _reader(unit: Unit, id: str) -> Reader:
    return reader_of(id, await unit.get(DIRECTORY, id))
