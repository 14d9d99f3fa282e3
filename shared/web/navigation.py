"""Where one can go: the same for everybody, less what they may not open."""

from dataclasses import dataclass

from shared.context import Actor
from shared.web.language import N_


@dataclass(frozen=True, kw_only=True)
class Place:
    """`counts`: a fragment that says how much waits there; it may fail alone."""

    path: str
    name: str
    may: str
    key: str = ""
    counts: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    name: str
    places: tuple[Place, ...]


NAVIGATION = (
    Group(
        name="",
        places=(
            Place(
                path="/",
                name=N_("My work"),
                may="task:read",
                key="w",
                counts="/notifications/tasks/count",
            ),
            Place(path="/partners", name=N_("Partners"), may="partner:read", key="p"),
            Place(path="/agreements", name=N_("Agreements"), may="agreement:read", key="a"),
            Place(
                path="/notifications/inbox",
                name=N_("Inbox"),
                may="inbox:read",
                key="n",
                counts="/notifications/inbox/count",
            ),
        ),
    ),
    Group(
        name=N_("Directory"),
        places=(
            Place(path="/partners/people", name=N_("People and roles"), may="person:read"),
            Place(path="/partners/systems", name=N_("Systems and keys"), may="system:read"),
        ),
    ),
    Group(
        name=N_("Events"),
        places=(
            Place(path="/notifications/webhooks", name=N_("Webhooks"), may="endpoint:manage"),
            Place(path="/notifications/feed", name=N_("Feed"), may="feed:read"),
            Place(path="/notifications/mailbox", name=N_("Mailbox of the demo"), may="mail:read"),
            Place(path="/notifications/clock", name=N_("Demo clock"), may="clock:advance"),
        ),
    ),
)


def navigation_for(actor: Actor, *, demo: bool) -> tuple[Group, ...]:
    groups = (
        Group(
            name=group.name,
            places=tuple(
                place for place in group.places if actor.may(place.may) and (demo or place.path not in _DEMO)
            ),
        )
        for group in NAVIGATION
    )
    return tuple(group for group in groups if group.places)


def place_of(path: str) -> str:
    """The place that a page belongs to: the longest one that its address begins with. What is about the
    reader, and not about the house's work, belongs to none.
    """
    if path.removeprefix("/partners/").split("/")[0] in _OF_THE_READER:
        return ""
    places = [place.path for group in NAVIGATION for place in group.places]
    fitting = [one for one in places if path == one or (one != "/" and path.startswith(f"{one}/"))]
    return max(fitting, key=len, default="")


_OF_THE_READER = frozenset({"me", "help", "join", "sign-in", "signed-out"})
_DEMO = frozenset({"/notifications/mailbox", "/notifications/clock"})
