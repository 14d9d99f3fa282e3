"""Agreements at any point of their life, made by the decisions that lead there."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import reduce

from services.agreements.instruments.domain import drafting, holds, lifetime, signing
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.dates import day_of, end_of
from services.agreements.instruments.domain.evidence import Evidence
from services.agreements.instruments.domain.profiles import KindProfile, profile
from services.agreements.instruments.domain.round import SigningTask
from services.agreements.instruments.domain.states import Status
from services.agreements.instruments.domain.term import Term
from services.agreements.instruments.domain.text import AgreementText
from services.agreements.standing.domain.standing import PartnerStanding, Standing
from shared.contracts.agreements.agreement import AgreementDrafted, Party
from shared.contracts.envelope import Event
from shared.contracts.vocabulary import PartnerKind

AGREEMENT_ID = "agr_01JD0000000000000000000010"
PARTNER_ID = "ptn_01JD0000000000000000000001"
OFFICER = "prs_01JD0000000000000000000001"
SIGNATORY = "prs_01JD0000000000000000000002"
PARTNER_USER = "prs_01JD0000000000000000000003"
SUSPENSION = "01938a3c-0000-7000-8000-000000000000"
REF = "UNH/MOU/2027/0041"
NOW = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)
LAST_DAY = date(2030, 12, 31)
RULES = profile("mou/1")
TEXT = AgreementText.of("The sides cooperate on participatory slum upgrading.", RULES)

ACTIVE = PartnerStanding(
    id=PARTNER_ID,
    version=1,
    legal_name="Slum Dwellers Federation of Kisumu",
    kind=PartnerKind.CIVIL_SOCIETY,
    country="KEN",
    standing=Standing.ACTIVE,
    as_of=NOW - timedelta(days=30),
)
SUSPENDED = ACTIVE.suspended(SUSPENSION, version=2, as_of=NOW)

SIGNATORIES = {Party.ORGANISATION: SIGNATORY, Party.PARTNER: PARTNER_USER}


def fold(agreement: Agreement, events: Sequence[Event]) -> Agreement:
    return reduce(Agreement.apply, events, agreement)


def drafted(
    *,
    starts_on: date | None = None,
    ends_on: date = LAST_DAY,
    rules: KindProfile = RULES,
    now: datetime = NOW,
) -> Agreement:
    first, *later = drafting.draft(
        AGREEMENT_ID,
        partner=ACTIVE,
        rules=rules,
        title="Participatory slum upgrading in Kisumu",
        text=TEXT,
        term=Term(starts_on=starts_on, ends_on=ends_on),
        officer_id=OFFICER,
        now=now,
    )
    assert isinstance(first, AgreementDrafted)
    return fold(Agreement.begin(first), later)


def tasks() -> tuple[SigningTask, ...]:
    return tuple(SigningTask(id=f"tsk_of_the_{party}", party=party) for party in Party)


def send(agreement: Agreement, *, partner: PartnerStanding = ACTIVE, now: datetime = NOW) -> list[Event]:
    return drafting.send(agreement, ref=REF, tasks=tasks(), partner=partner, now=now)


def sent(*, starts_on: date | None = None, ends_on: date = LAST_DAY, now: datetime = NOW) -> Agreement:
    draft = drafted(starts_on=starts_on, ends_on=ends_on, now=now)
    return fold(draft, send(draft, now=now))


def evidence(
    agreement: Agreement,
    party: Party,
    *,
    by: str | None = None,
    on_behalf_of: str | None = None,
    text_sha256: str = TEXT.sha256,
    now: datetime = NOW,
) -> Evidence:
    number, previous = signing.next_link(agreement)
    return Evidence(
        id=f"evd_{number}_{party}",
        agreement_id=agreement.id,
        number=number,
        party=party,
        signatory_id=by or SIGNATORIES[party],
        on_behalf_of=on_behalf_of,
        name="Amina Otieno",
        name_salt="5f" * 16,
        text_sha256=text_sha256,
        wording="sign/1",
        signed_at=now,
        signed_on=day_of(now, RULES.zone),
        zone=RULES.zone,
        previous_sha256=previous,
    )


def sign(
    agreement: Agreement,
    party: Party,
    *,
    by: str | None = None,
    on_behalf_of: str | None = None,
    text_sha256: str = TEXT.sha256,
    partner: PartnerStanding = ACTIVE,
    now: datetime = NOW,
) -> list[Event]:
    proof = evidence(agreement, party, by=by, on_behalf_of=on_behalf_of, text_sha256=text_sha256, now=now)
    return signing.sign(agreement, proof, partner)


def signed(agreement: Agreement, *, now: datetime = NOW) -> Agreement:
    """By both sides: in force, unless its first day is still to come."""
    for party in Party:
        agreement = fold(agreement, sign(agreement, party, now=now))
    return agreement


def held(agreement: Agreement, *, now: datetime = NOW) -> Agreement:
    return fold(agreement, holds.follow(agreement, SUSPENDED, now))


def closes_at(agreement: Agreement) -> datetime:
    return agreement.sent_round.closes_at


def over_at(agreement: Agreement) -> datetime:
    return end_of(agreement.term.ends_on, agreement.profile.zone)


def in_status(status: Status) -> Agreement:
    """An agreement that reached this status the way real ones do."""
    match status:
        case Status.DRAFT:
            return drafted()
        case Status.IN_SIGNATURE:
            return sent()
        case Status.SIGNED:
            return signed(sent(starts_on=date(2027, 3, 1)))
        case Status.IN_FORCE:
            return signed(sent())
        case Status.EXPIRED:
            agreement = signed(sent())
            return fold(agreement, lifetime.expire(agreement, over_at(agreement)))
        case Status.LAPSED:
            agreement = sent()
            return fold(agreement, lifetime.lapse(agreement, closes_at(agreement)))
