"""Until it is sent, an agreement is the organisation's own: drafted, its text changed, then frozen."""

from datetime import datetime, timedelta

from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.dates import day_of, end_of
from services.agreements.instruments.domain.holds import refuse_while_held, refuse_while_suspended
from services.agreements.instruments.domain.profiles import KindProfile
from services.agreements.instruments.domain.round import SigningTask, assign
from services.agreements.instruments.domain.states import Move, require
from services.agreements.instruments.domain.term import Term
from services.agreements.instruments.domain.text import AgreementText
from services.agreements.standing.domain.standing import PartnerStanding
from shared.contracts.agreements.agreement import (
    AgreementDrafted,
    AgreementSentForSignature,
    AgreementTextChanged,
)
from shared.contracts.envelope import Event
from shared.errors import Refusal


def draft(
    id: str,
    *,
    partner: PartnerStanding,
    rules: KindProfile,
    title: str,
    text: AgreementText,
    term: Term,
    officer_id: str,
    now: datetime,
) -> list[Event]:
    term.check(rules, day_of(now, rules.zone))
    refuse_while_suspended(partner)
    return [
        AgreementDrafted(
            agreement_id=id,
            partner_id=partner.id,
            kind=rules.kind,
            title=title,
            text_sha256=text.sha256,
            starts_on=term.starts_on,
            ends_on=term.ends_on,
            officer_id=officer_id,
            country=partner.country,
            policyref=rules.id,
        )
    ]


def change_text(agreement: Agreement, text: AgreementText) -> list[Event]:
    """A hold does not keep anybody from working on a draft."""
    require(agreement.status, Move.CHANGE_TEXT)
    if text.sha256 == agreement.text_sha256:
        return []
    return [
        AgreementTextChanged(
            agreement_id=agreement.id,
            partner_id=agreement.partner_id,
            previous_sha256=agreement.text_sha256,
            text_sha256=text.sha256,
        )
    ]


def check_sendable(agreement: Agreement, partner: PartnerStanding, now: datetime) -> None:
    """Asked before a number is taken for it."""
    require(agreement.status, Move.SEND)
    refuse_while_held(agreement, partner)
    if agreement.today(now) > agreement.term.ends_on:
        raise Refusal("term_over", "Its last day has passed", ends_on=agreement.term.ends_on)


def would_close_at(agreement: Agreement, now: datetime) -> datetime:
    """When its signing round closes, if it is sent now."""
    rules = agreement.profile
    last_day = min(agreement.today(now) + timedelta(days=rules.signing_days), agreement.term.ends_on)
    return end_of(last_day, rules.zone)


def send(
    agreement: Agreement,
    *,
    ref: str,
    tasks: tuple[SigningTask, ...],
    partner: PartnerStanding,
    now: datetime,
) -> list[Event]:
    """Freeze the text under its number and ask both sides. A round never outlives the term."""
    check_sendable(agreement, partner, now)
    sent = AgreementSentForSignature(
        agreement_id=agreement.id,
        partner_id=agreement.partner_id,
        ref=ref,
        title=agreement.title,
        text_sha256=agreement.text_sha256,
        closes_at=would_close_at(agreement, now),
    )
    return [sent, *(assign(task, sent) for task in tasks)]
