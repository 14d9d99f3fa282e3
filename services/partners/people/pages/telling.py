"""What the directory's words, events and people are called on a screen."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.partners.people.domain.person import PersonStatus
from shared.contracts.envelope import Envelope, Event
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.partners.person import (
    DelegationEnded,
    DelegationGiven,
    InvitationLapsed,
    PersonAdmitted,
    PersonErased,
    PersonInvited,
    PersonJoined,
    RoleGranted,
    RoleWithdrawn,
    Scope,
)
from shared.contracts.partners.system import KeyIssued, KeyRevoked, SystemRegistered
from shared.contracts.vocabulary import ScopeKind
from shared.web.formats import Formats
from shared.web.language import N_, _
from shared.web.words import add_words, word

add_words(
    {
        PersonStatus.INVITED: N_("Invited"),
        PersonStatus.LAPSED: N_("Invitation lapsed"),
        PersonStatus.JOINED: N_("Joined"),
        PersonStatus.ERASED: N_("Erased"),
    },
    tones={PersonStatus.INVITED: "wait", PersonStatus.JOINED: "good"},
)

_EVENTS = {
    PersonAdmitted.type: N_("Admitted to the directory"),
    PersonInvited.type: N_("Invited to speak for a partner"),
    PersonJoined.type: N_("Joined"),
    InvitationLapsed.type: N_("The invitation lapsed"),
    PersonErased.type: N_("Erased"),
    RoleGranted.type: N_("Role granted"),
    RoleWithdrawn.type: N_("Role withdrawn"),
    DelegationGiven.type: N_("Role lent to them"),
    DelegationEnded.type: N_("Delegation ended"),
    "person.signed_out.v1": N_("Signed out everywhere"),
    TaskAssigned.type: N_("A task was given"),
    TaskDone.type: N_("A task ended"),
    SystemRegistered.type: N_("Registered"),
    KeyIssued.type: N_("Key issued"),
    KeyRevoked.type: N_("Key revoked"),
}


def what(event: Event) -> str:
    return _(_EVENTS[event.type]) if event.type in _EVENTS else event.type


def more(event: Event, formats: Formats, partners: Mapping[str, str]) -> str:
    match event:
        case RoleGranted() | RoleWithdrawn() | DelegationGiven():
            return f"{word(event.role)}, {where(event.scope, formats, partners)}"
        case DelegationEnded() | PersonErased() | KeyRevoked():
            return event.reason
        case PersonInvited():
            return partners.get(event.partner_id, event.partner_id)
        case SystemRegistered():
            return event.label
        case KeyIssued():
            return event.key_id
    return ""


def where(scope: tuple[Scope, ...], formats: Formats, partners: Mapping[str, str]) -> str:
    """A scope in words."""
    if not scope:
        return _("everywhere")
    return ", ".join(_place(part, formats, partners) for part in scope)


def _place(part: Scope, formats: Formats, partners: Mapping[str, str]) -> str:
    match part.kind:
        case ScopeKind.PARTNER:
            return partners.get(part.value, part.value)
        case ScopeKind.COUNTRY | ScopeKind.STATE:
            return formats.country(part.value)
        case ScopeKind.UNIT:
            return part.value


def who(id: str, names: Mapping[str, str]) -> str:
    """By name where the reader may know it; what no person did, in words; else the id."""
    if id in names:
        return names[id]
    if id.startswith("system:"):
        return _("Concord itself (%(what)s)") % {"what": id.removeprefix("system:")}
    return id


def by(envelope: Envelope, names: Mapping[str, str]) -> str:
    """Who did it, and for whom where that was somebody else."""
    did = who(envelope.actor, names)
    if envelope.onbehalfof is None:
        return did
    return _("%(who)s, on behalf of %(owner)s") % {"who": did, "owner": who(envelope.onbehalfof, names)}


def actors_of(envelopes: Iterable[Envelope]) -> set[str]:
    return {id for one in envelopes for id in (one.actor, one.onbehalfof) if id is not None}


def of_delegation(starts_at: datetime, ends_at: datetime, now: datetime) -> tuple[str, str]:
    """Tone and word: whether it counts now."""
    if now < starts_at:
        return "wait", _("To come")
    return ("good", _("Now")) if now < ends_at else ("plain", _("Over"))
