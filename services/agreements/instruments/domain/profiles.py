"""What each kind of agreement must keep to: immutable versions with the day they take effect.

An agreement pins the version that was in effect when it was drafted and keeps it for its whole life, so a
version that has been in effect is never edited: a change of rules is a new line in the table.
"""

from dataclasses import dataclass
from datetime import date, datetime

from services.agreements.instruments.domain.dates import start_of
from shared.contracts.agreements.agreement import AgreementKind


@dataclass(frozen=True, kw_only=True)
class KindProfile:
    """`start_months_max`: how far ahead the first day may lie. `consent_wording` names the sentence a
    signatory agrees to, and is kept with the evidence.
    """

    id: str
    kind: AgreementKind
    effective_on: date
    ref_code: str
    zone: str
    start_months_max: int
    term_months_max: int
    signing_days: int
    text_bytes_max: int
    consent_wording: str


PROFILES = (
    KindProfile(
        id="mou/1",
        kind=AgreementKind.MEMORANDUM,
        effective_on=date(2020, 1, 1),
        ref_code="MOU",
        zone="Africa/Nairobi",
        start_months_max=24,
        term_months_max=60,
        signing_days=90,
        text_bytes_max=200 * 1024,
        consent_wording="sign/1",
    ),
)


def profile(id: str) -> KindProfile:
    """The version an agreement has pinned."""
    return next(version for version in PROFILES if version.id == id)


def current_profile(kind: AgreementKind, now: datetime) -> KindProfile:
    """The version a draft of this moment pins: the latest that is in effect."""
    versions = (version for version in PROFILES if version.kind is kind)
    in_effect = [version for version in versions if start_of(version.effective_on, version.zone) <= now]
    return max(in_effect, key=lambda version: version.effective_on)
