"""People are told: each event that a rule names becomes deliveries to those concerned.

Recipients are looked up as they are when the event is heard. What the words need of earlier events (the
partner's name, who drafted the agreement) is kept beside, from the same topic and in the order of the same
stream, so it is there when it is needed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from services.notifications.deliveries.documents import SUBJECTS
from services.notifications.deliveries.domain.notice import notices
from services.notifications.deliveries.domain.rules import RULE_SETS, rule_for
from services.notifications.deliveries.opening import Batch, Opening
from services.notifications.deliveries.recipients import Recipients, known_of
from shared.contracts.agreements.agreement import AgreementDrafted, AgreementSentForSignature
from shared.contracts.envelope import Event
from shared.contracts.partners.partner import PartnerContactErased, PartnerRegistered
from shared.http.directory_projection import DIRECTORY
from shared.messaging.subscription import OnEvent, Received, Subscription
from shared.storage.repository import Unit


async def remember_partner(event: PartnerRegistered, received: Received, unit: Unit) -> None:
    _remember(unit, received, label=event.legal_name, contact_id=event.contact_id)


async def forget_contact(event: PartnerContactErased, received: Received, unit: Unit) -> None:
    known = await unit.get(SUBJECTS, received.envelope.subject)
    if known is not None:
        unit.put(SUBJECTS, {**known, "contact_id": None})


async def remember_draft(event: AgreementDrafted, received: Received, unit: Unit) -> None:
    _remember(unit, received, label=event.title, officer_id=event.officer_id)


async def remember_reference(event: AgreementSentForSignature, received: Received, unit: Unit) -> None:
    known = await unit.get(SUBJECTS, received.envelope.subject)
    if known is not None:
        unit.put(SUBJECTS, {**known, "label": event.ref})


_REMEMBERED: Mapping[type[Event], Callable[[Any, Received, Unit], Awaitable[None]]] = {
    PartnerRegistered: remember_partner,
    PartnerContactErased: forget_contact,
    AgreementDrafted: remember_draft,
    AgreementSentForSignature: remember_reference,
}


def _remember(
    unit: Unit,
    received: Received,
    *,
    label: str,
    contact_id: str | None = None,
    officer_id: str | None = None,
) -> None:
    id = received.envelope.subject
    unit.put(SUBJECTS, {"_id": id, "label": label, "contact_id": contact_id, "officer_id": officer_id})


class PeopleAreTold:
    """The handlers of one topic. A batch is announced before its first record, so that what is known of its
    events is looked up once.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._announced: Sequence[str] = ()
        self._of_unit: WeakKeyDictionary[Unit, tuple[Batch, Recipients]] = WeakKeyDictionary()

    def announce(self, records: Sequence[Received]) -> Mapping[str, set[object]]:
        self._announced = [one.envelope.id for one in records]
        contacts = {one.envelope.data.get("contact_id") for one in records}
        return {
            SUBJECTS: {one.envelope.subject for one in records},
            DIRECTORY: {id for id in contacts if isinstance(id, str)},
        }

    async def tell(self, event: Event, received: Received, unit: Unit) -> None:
        remember = _REMEMBERED.get(type(event))
        if remember is not None:
            await remember(event, received, unit)
        envelope = received.envelope
        found = rule_for(envelope.type, envelope.time)
        if found is None:
            return
        rule, version = found
        batch, recipients = await self._batch(unit, envelope.id)
        known = await known_of(event, envelope.subject, unit)
        groups = await recipients.groups(rule, event, known, unit)
        for planned in notices(event, envelope, rule, version, groups=groups, known=known):
            self._opening.open(unit, batch, planned)

    async def _batch(self, unit: Unit, event_id: str) -> tuple[Batch, Recipients]:
        begun = self._of_unit.get(unit)
        if begun is None:
            ids = self._announced if event_id in self._announced else [event_id]
            begun = self._of_unit[unit] = (await self._opening.begin(unit, ids), Recipients())
        return begun


def subscriptions(opening: Opening) -> tuple[Subscription, ...]:
    told = {rule.event for rules in RULE_SETS for rule in rules.rules} | set(_REMEMBERED)
    found = []
    for topic in ("concord.partners.v1", "concord.agreements.v1"):
        service = topic.split(".")[1]
        telling = PeopleAreTold(opening)
        of_topic = [event for event in told if event.__module__.startswith(f"shared.contracts.{service}.")]
        handlers: dict[type[Event], OnEvent] = dict.fromkeys(of_topic, telling.tell)
        found.append(
            Subscription(
                purpose=f"deliveries_of_{service}", topic=topic, handlers=handlers, prefetch=telling.announce
            )
        )
    return tuple(found)
