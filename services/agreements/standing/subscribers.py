"""What partners say, kept as their standing here.

A suspension touches every agreement of the partner, which may be very many: the change that records it only
sets a timer. From that change on no command can rely on the partner being active, because each asserts the
version of the standing it read; so the work of the timer may take its time and nothing slips past it.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.agreements.standing.domain.standing import FOLLOW_STANDING, STANDINGS, PartnerStanding
from shared.contracts.envelope import Event
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.messaging.subscription import OnEvent, Received, Subscription
from shared.storage.repository import Unit


async def partner_registered(event: PartnerRegistered, received: Received, unit: Unit) -> None:
    envelope = received.envelope
    standing = PartnerStanding.registered(event, version=envelope.version, as_of=envelope.time)
    unit.put(STANDINGS, standing.document())


async def partner_suspended(event: PartnerSuspended, received: Received, unit: Unit) -> None:
    envelope = received.envelope
    known = await _known(unit, event.partner_id)
    _keep(unit, known.suspended(envelope.id, version=envelope.version, as_of=envelope.time))


async def partner_reinstated(event: PartnerReinstated, received: Received, unit: Unit) -> None:
    envelope = received.envelope
    known = await _known(unit, event.partner_id)
    _keep(unit, known.reinstated(version=envelope.version, as_of=envelope.time))


async def _known(unit: Unit, partner_id: str) -> PartnerStanding:
    document = await unit.get(STANDINGS, partner_id)
    if document is None:  # Order per partner is promised, so this record is parked for a person to see.
        raise LookupError(f"{partner_id} was never registered as far as this service knows")
    return PartnerStanding.of(document)


def _keep(unit: Unit, standing: PartnerStanding) -> None:
    unit.put(STANDINGS, standing.document())
    data = {"partner_id": standing.id, "version": standing.version}
    # A timer for each standing: one that is at work is not set anew under its hands.
    unit.schedule(FOLLOW_STANDING, f"{standing.id}/{standing.version}", unit.context.now, data)


def _partners_of(batch: Sequence[Received]) -> Mapping[str, Iterable[object]]:
    """The topic carries people as well."""
    ours = {event.type for event in _HANDLERS}
    return {STANDINGS: [one.envelope.subject for one in batch if one.envelope.type in ours]}


_HANDLERS: Mapping[type[Event], OnEvent] = {
    PartnerRegistered: partner_registered,
    PartnerSuspended: partner_suspended,
    PartnerReinstated: partner_reinstated,
}
SUBSCRIPTIONS = (
    Subscription(
        purpose="standing",
        topic="concord.partners.v1",
        handlers=_HANDLERS,
        prefetch=_partners_of,
        streams=frozenset({"ptn"}),
    ),
)
