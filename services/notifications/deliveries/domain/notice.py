"""From an event to the notices it makes: which persons, on which channels, with which words.

Pure: whoever calls has looked up who the rule's groups are at this moment. The same person in two groups is
told once a channel. Words are a key and values, put into a language when they are read or sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.notifications.deliveries.domain.delivery import About, Planned
from services.notifications.deliveries.domain.disclosure import Reader, may_know
from services.notifications.deliveries.domain.rules import Rule, Who
from shared.contracts.envelope import Envelope, Event
from shared.contracts.partners.person import PersonInvited

# Values a notice may show. Whoever may know of the event may know its data, so this is about sense, not
# secrecy.
_SHOWN = (
    "legal_name",
    "title",
    "ref",
    "reason",
    "closes_at",
    "effective_on",
    "ends_on",
    "expires_at",
    "closed_at",
)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is remembered of the subject from its earlier events."""

    label: str = ""
    contact_id: str | None = None
    officer_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """A reader found for one of the rule's groups."""

    reader: Reader
    speaks_for: str | None = None


def addressees(event: Event) -> tuple[str, ...]:
    """Whom an event is addressed to by its nature: an invitation is for whoever it invites."""
    match event:
        case PersonInvited():
            return (event.person_id,)
    return ()


def notices(
    event: Event,
    envelope: Envelope,
    rule: Rule,
    version: int,
    *,
    groups: Mapping[Who, Iterable[Told]],
    known: Known,
) -> list[Planned]:
    """The deliveries to people that the rule makes of the event, none to anybody who may not know of it."""
    about = About.of(envelope, *addressees(event))
    content = {"words": rule.name, "rule": f"{rule.name}@{version}", **_values(event, known)}
    planned: dict[str, Planned] = {}
    for who, channels in rule.told:
        for told in groups.get(who, ()):
            if not may_know(about.visibility, about.audience, told.reader):
                continue
            for channel in channels:
                one = Planned(
                    source=f"{rule.name}.{channel}",
                    channel=channel,
                    target=channel,
                    recipient=told.reader.id,
                    owner=told.reader.id,
                    about=about,
                    content=content,
                    speaks_for=told.speaks_for,
                )
                planned.setdefault(one.key, one)
    return list(planned.values())


def _values(event: Event, known: Known) -> dict[str, str]:
    data = event.model_dump(mode="json")
    values = {name: str(data[name]) for name in _SHOWN if data.get(name) is not None}
    return {"label": known.label, **values}
