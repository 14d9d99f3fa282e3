"""What the register hears: what became of the notices about its partners.

Facts of one delivery arrive in their order, and each says all there is to show, so the last one counts.
"""

from datetime import datetime

from services.partners.register.documents import NOTICES, partners
from shared.contracts import catalogue
from shared.contracts.notifications.delivery import DeliveryAccepted, DeliveryExhausted
from shared.contracts.vocabulary import Visibility
from shared.messaging.subscription import Received, Subscription
from shared.storage.repository import Unit

# What a partner's own users may learn was sent; the rest is for the secretariat.
_SHOWN_TO_PARTNER = frozenset({Visibility.PUBLIC, Visibility.PARTNER})


async def delivery_accepted(event: DeliveryAccepted, received: Received, unit: Unit) -> None:
    _keep(event, unit, outcome="accepted", at=event.accepted_at, reason=None)


async def delivery_exhausted(event: DeliveryExhausted, received: Received, unit: Unit) -> None:
    _keep(event, unit, outcome="exhausted", at=event.at, reason=event.reason)


def _keep(
    event: DeliveryAccepted | DeliveryExhausted, unit: Unit, *, outcome: str, at: datetime, reason: str | None
) -> None:
    if not event.about.startswith(f"{partners.prefix}_"):
        return
    told_of = catalogue.EVENTS.get(event.event_type)
    unit.put(
        NOTICES.name,
        {
            "_id": event.delivery_id,
            "partner_id": event.about,
            "event_type": event.event_type,
            "channel": event.channel,
            "recipient": event.recipient,
            "outcome": outcome,
            "reason": reason,
            "attempts": event.attempts,
            "at": at,
            "shown_to_partner": told_of is not None and told_of.visibility in _SHOWN_TO_PARTNER,
        },
    )


SUBSCRIPTIONS = (
    Subscription(
        purpose="notices",
        topic="concord.notifications.v1",
        handlers={DeliveryAccepted: delivery_accepted, DeliveryExhausted: delivery_exhausted},
    ),
)
