"""What became of a notice: the facts other services and outside systems may rely on."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Visibility

_DELIVERY = "dlv_01JD0000000000000000000030"
_EVENT = "01938a3c-0000-7000-8000-000000000000"


class Channel(StrEnum):
    INBOX = "inbox"
    EMAIL = "email"
    WEBHOOK = "webhook"


class _OfDelivery(Event):
    visibility = Visibility.SECRETARIAT
    delivery_id: str
    event_id: str
    event_type: str
    about: str
    channel: Channel
    recipient: str


class DeliveryAccepted(_OfDelivery):
    """The receiving side took it: a mail server's 250, an endpoint's 2xx, a place in the inbox."""

    type: ClassVar[str] = "delivery.accepted.v1"
    example: ClassVar[dict[str, Any]] = {
        "delivery_id": _DELIVERY,
        "event_id": _EVENT,
        "event_type": "partner.suspended.v1",
        "about": "ptn_01JD0000000000000000000001",
        "channel": "email",
        "recipient": "prs_01JD0000000000000000000002",
        "accepted_at": "2027-01-15T08:00:01Z",
        "attempts": 1,
    }
    accepted_at: datetime
    attempts: int


class DeliveryExhausted(_OfDelivery):
    """Given up: nobody will try again unless a person asks for it."""

    type: ClassVar[str] = "delivery.exhausted.v1"
    example: ClassVar[dict[str, Any]] = {
        **{k: v for k, v in DeliveryAccepted.example.items() if k != "accepted_at"},
        "reason": "gone",
        "at": "2027-01-18T08:00:01Z",
    }
    attempts: int
    reason: str
    at: datetime


EVENTS = (DeliveryAccepted, DeliveryExhausted)
