"""What the register's words and events are called on a screen."""

from pathlib import Path

from services.partners.register.domain.draft import Section
from services.partners.register.domain.partner import PartnerStatus
from shared.contracts.envelope import Event
from shared.contracts.notifications.delivery import Channel
from shared.contracts.partners.partner import (
    PartnerContactErased,
    PartnerRegistered,
    PartnerReinstated,
    PartnerSuspended,
)
from shared.contracts.vocabulary import PartnerKind
from shared.web.formats import Formats
from shared.web.language import N_, _, ngettext
from shared.web.words import add_words, word

TEMPLATES = Path(__file__).parents[1] / "templates"

add_words(
    {
        PartnerStatus.ACTIVE: N_("Registered"),
        PartnerStatus.SUSPENDED: N_("Suspended"),
        Section.NAME: N_("Name and kind"),
        Section.COUNTRY: N_("Country"),
        Section.CONTACT: N_("Contact person"),
        Channel.INBOX: N_("Inbox"),
        Channel.EMAIL: N_("E-mail"),
        Channel.WEBHOOK: N_("Webhook"),
    },
    tones={PartnerStatus.ACTIVE: "good", PartnerStatus.SUSPENDED: "stop"},
)

_EVENTS = {
    PartnerRegistered.type: N_("Registered"),
    PartnerSuspended.type: N_("Suspended"),
    PartnerReinstated.type: N_("Reinstated"),
    PartnerContactErased.type: N_("Contact person erased"),
}
_OUTCOMES = {"accepted": ("good", N_("Taken")), "exhausted": ("stop", N_("Given up"))}


def what(event_type: str) -> str:
    """The event's name where it has none of ours."""
    return _(_EVENTS[event_type]) if event_type in _EVENTS else event_type


def more(event: Event, formats: Formats) -> str:
    match event:
        case PartnerRegistered():
            return f"{word(event.kind)}, {formats.country(event.country)}"
        case PartnerSuspended() | PartnerReinstated() | PartnerContactErased():
            return event.reason
    return ""


def outcome(name: str) -> tuple[str, str]:
    """Tone and word of what became of a notice."""
    tone, said = _OUTCOMES.get(name, ("plain", name))
    return tone, _(said)


def counted(kind: PartnerKind, count: int, formats: Formats) -> str:
    match kind:
        case PartnerKind.GOVERNMENT:
            said = ngettext("%(num)s government", "%(num)s governments", count)
        case PartnerKind.UN_ENTITY:
            said = ngettext("%(num)s UN entity", "%(num)s UN entities", count)
        case PartnerKind.LOCAL_GOVERNMENT:
            said = ngettext("%(num)s local government", "%(num)s local governments", count)
        case PartnerKind.CIVIL_SOCIETY:
            said = ngettext(
                "%(num)s civil-society organisation", "%(num)s civil-society organisations", count
            )
    return said % {"num": formats.number(count)}


def counted_all(count: int, formats: Formats) -> str:
    return ngettext("%(num)s partner", "%(num)s partners", count) % {"num": formats.number(count)}
