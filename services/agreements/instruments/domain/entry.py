"""Entering into force: whenever a decision leaves an agreement signed, free of holds and within its term."""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce

from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.states import Status
from shared.contracts.agreements.agreement import AgreementEnteredIntoForce
from shared.contracts.envelope import Event


def with_entry(agreement: Agreement, events: Sequence[Event], now: datetime) -> list[Event]:
    """The events, and its entering into force where they leave nothing in its way.

    Never before its first day, never retroactively, and never after its last day: a hold that closes too late
    leaves it to expire.
    """
    after = reduce(Agreement.apply, events, agreement)
    today = after.today(now)
    begins = after.term.starts_on or today
    if after.status is not Status.SIGNED or after.holds or not begins <= today <= after.term.ends_on:
        return list(events)
    entered = AgreementEnteredIntoForce(
        agreement_id=after.id,
        partner_id=after.partner_id,
        ref=after.sent_round.ref,
        title=after.title,
        effective_on=today,
        ends_on=after.term.ends_on,
    )
    return [*events, entered]
