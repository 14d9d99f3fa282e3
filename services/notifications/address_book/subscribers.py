"""Of whom an address is needed, and whose must go.

No address travels in an event, so hearing of a person only sets a job that asks partners for it. An erasure
leaves a mark that stays, and removes the job in the same change: a fetch that is under way at that moment
finds its timer gone when it wants to commit, and nothing it brought is written. So no late answer, and no
event that comes late, brings back what was erased.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.notifications.address_book.documents import ADDRESSES
from shared.contracts.partners.partner import PartnerContactErased, PartnerRegistered
from shared.contracts.partners.person import PersonAdmitted, PersonErased, PersonInvited, PersonJoined
from shared.messaging.subscription import Received, Subscription
from shared.storage.repository import Unit

FETCH = "fetch_address"


async def person_heard_of(
    event: PersonAdmitted | PersonInvited | PersonJoined, received: Received, unit: Unit
) -> None:
    await _fetch(event.person_id, unit)


async def partner_registered(event: PartnerRegistered, received: Received, unit: Unit) -> None:
    await _fetch(event.contact_id, unit)


async def person_erased(event: PersonErased, received: Received, unit: Unit) -> None:
    _drop(event.person_id, received, unit)


async def partner_contact_erased(event: PartnerContactErased, received: Received, unit: Unit) -> None:
    _drop(event.contact_id, received, unit)


async def _fetch(person_id: str, unit: Unit) -> None:
    known = await unit.get(ADDRESSES, person_id)
    if known is None or not known["erased"]:
        unit.schedule(FETCH, person_id, unit.context.now)


def _drop(person_id: str, received: Received, unit: Unit) -> None:
    unit.cancel(FETCH, person_id)
    erased_by = {"event_id": received.envelope.id, "version": received.envelope.version}
    unit.put(ADDRESSES, {"_id": person_id, "erased": True, "erased_by": erased_by})


def _people_of(batch: Sequence[Received]) -> Mapping[str, Iterable[object]]:
    """A person's own stream is theirs; a partner's contact is named in the event."""
    found = (one.envelope.data.get("contact_id", one.envelope.subject) for one in batch)
    return {ADDRESSES: [id for id in found if isinstance(id, str)]}


SUBSCRIPTIONS = (
    Subscription(
        purpose="address_book",
        topic="concord.partners.v1",
        handlers={
            PersonAdmitted: person_heard_of,
            PersonInvited: person_heard_of,
            PersonJoined: person_heard_of,
            PartnerRegistered: partner_registered,
            PersonErased: person_erased,
            PartnerContactErased: partner_contact_erased,
        },
        prefetch=_people_of,
    ),
)
