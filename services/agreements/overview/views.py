"""The view `partner_agreements`: a row a partner and a row an agreement, from both topics.

Each row is made of one aggregate's events alone, so it does not matter which topic is read first; what a
reader wants to know of a partner is put together from its rows when it is asked for. A repeat is known by its
version.
"""

from typing import Any

from shared.contracts.agreements.agreement import (
    AgreementDrafted,
    AgreementEnteredIntoForce,
    AgreementExpired,
    AgreementFullySigned,
    AgreementLapsed,
    AgreementSentForSignature,
)
from shared.contracts.envelope import Event
from shared.contracts.partners.partner import PartnerRegistered, PartnerReinstated, PartnerSuspended
from shared.contracts.vocabulary import TOPICS
from shared.messaging.subscription import Received
from shared.storage.documents import Index
from shared.storage.views import Rows, View

STATE_AFTER: dict[type[Event], str] = {
    AgreementDrafted: "draft",
    AgreementSentForSignature: "in_signature",
    AgreementFullySigned: "signed",
    AgreementEnteredIntoForce: "in_force",
    AgreementExpired: "expired",
    AgreementLapsed: "lapsed",
}


def _partner(event: Any, received: Received, rows: Rows) -> None:
    row = rows.get(event.partner_id)
    if received.envelope.version <= row.get("version", 0):
        return
    standing = "suspended" if isinstance(event, PartnerSuspended) else "active"
    is_new = isinstance(event, PartnerRegistered)
    named = {"legal_name": event.legal_name, "country": event.country} if is_new else {}
    rows.put(
        {
            **row,
            **named,
            "what": "partner",
            "partner_id": event.partner_id,
            "standing": standing,
            "version": received.envelope.version,
        }
    )


def _agreement(event: Any, received: Received, rows: Rows) -> None:
    row = rows.get(event.agreement_id)
    if received.envelope.version <= row.get("version", 0):
        return
    rows.put(
        {
            **row,
            "what": "agreement",
            "partner_id": event.partner_id,
            "state": STATE_AFTER[type(event)],
            "version": received.envelope.version,
        }
    )


def _row_of(event: Any) -> str:
    return str(event.agreement_id if type(event) in STATE_AFTER else event.partner_id)


PARTNER_AGREEMENTS = View(
    name="partner_agreements",
    topics=TOPICS[:2],
    project={
        **dict.fromkeys((PartnerRegistered, PartnerSuspended, PartnerReinstated), _partner),
        **dict.fromkeys(STATE_AFTER, _agreement),
    },
    row_of=_row_of,
    indexes=(
        Index(name="of_partner", keys=(("partner_id", 1), ("what", 1))),
        Index(name="by_name", keys=(("what", 1), ("legal_name", 1), ("_id", 1))),
    ),
)
