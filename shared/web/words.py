"""What the words of the house are called on a screen. A state also has a tone, so that it is a shape as well
as a word: good, wait, stop, note or plain.
"""

from collections.abc import Mapping
from enum import StrEnum

from shared.contracts.vocabulary import PartnerKind, Role, ScopeKind
from shared.web.language import N_, _

_KITS_OWN: Mapping[StrEnum, str] = {
    PartnerKind.GOVERNMENT: N_("Government"),
    PartnerKind.UN_ENTITY: N_("UN entity"),
    PartnerKind.LOCAL_GOVERNMENT: N_("Local government"),
    PartnerKind.CIVIL_SOCIETY: N_("Civil society"),
    Role.PARTNERSHIP_OFFICER: N_("Partnership officer"),
    Role.ACCREDITATION_REVIEWER: N_("Accreditation reviewer"),
    Role.ACCREDITATION_CHIEF: N_("Chief of accreditation"),
    Role.MEMBER_STATE_DELEGATE: N_("Delegate of a Member State"),
    Role.COMMITTEE_MEMBER: N_("Committee member"),
    Role.PARTNER_USER: N_("Partner’s user"),
    Role.LEGAL_OFFICER: N_("Legal officer"),
    Role.FINANCE_OFFICER: N_("Finance officer"),
    Role.PROGRAMME_REVIEWER: N_("Programme reviewer"),
    Role.DONOR_RELATIONS: N_("Donor relations"),
    Role.SIGNATORY: N_("Signatory"),
    Role.EXTERNAL_SYSTEM: N_("External system"),
    Role.OPERATOR: N_("Operator"),
    Role.AUDITOR: N_("Auditor"),
    Role.ADMINISTRATOR: N_("Administrator"),
    ScopeKind.STATE: N_("State"),
    ScopeKind.PARTNER: N_("Partner"),
    ScopeKind.COUNTRY: N_("Country"),
    ScopeKind.UNIT: N_("Unit"),
}
# By the enum as well: members of two that are spelt alike are equal, and need not be called alike.
_WORDS: dict[tuple[type[StrEnum], str], str] = {}
_TONES: dict[tuple[type[StrEnum], str], str] = {}


def add_words(words: Mapping[StrEnum, str], tones: Mapping[StrEnum, str] | None = None) -> None:
    """For a room's own words, once an enum, when its pages are imported."""
    _WORDS.update({(type(value), value.value): said for value, said in words.items()})
    _TONES.update({(type(value), value.value): tone for value, tone in (tones or {}).items()})


def word(value: StrEnum) -> str:
    """Every member of an enum that a page shows has one; a test holds it."""
    return _(_WORDS[type(value), value.value])


def tone(value: StrEnum) -> str:
    return _TONES.get((type(value), value.value), "plain")


add_words(_KITS_OWN)
