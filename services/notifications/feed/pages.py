"""The feed on a screen: for whoever wants to see what a reader of it gets, before they write one."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from pydantic import Field
from starlette.responses import Response

from services.notifications.deliveries.addresses import page_about
from services.notifications.deliveries.domain.disclosure import Reader
from services.notifications.deliveries.domain.types import TypeFilter
from services.notifications.feed.domain import CURSOR_CHARACTERS_MAX, NOTHING_READ, Place, filter_hash
from services.notifications.feed.queries import Feed, Reading
from shared.contracts.catalogue import EVENTS
from shared.contracts.envelope import Envelope, open_envelope
from shared.contracts.vocabulary import Visibility
from shared.errors import NotFound
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.language import N_, _
from shared.web.pages import Pages
from shared.web.words import add_words

EVENTS_A_PAGE = 50
# Looked at in each lane, where somebody wants the end of the feed and not its beginning; of some types more.
NEWEST_OF_A_LANE = 20
NEWEST_OF_A_LANE_BY_TYPE = 100
NEWEST_READ_MAX = 5_000
TYPE_CHARACTERS_MAX = 100
ID_CHARACTERS_MAX = 120
PATH = "/notifications/feed"

add_words(
    {
        Visibility.PUBLIC: N_("Public"),
        Visibility.PARTNER: N_("The partner concerned"),
        Visibility.MEMBER_STATES: N_("Member States"),
        Visibility.SECRETARIAT: N_("The secretariat"),
        Visibility.SEALED: N_("Whom it names"),
    }
)

# What each attribute of the envelope says, in the order of the bytes.
EXPLAINED = {
    "specversion": N_("The version of CloudEvents that the envelope follows."),
    "id": N_("Names this event for ever; a webhook carries it as webhook-id."),
    "source": N_("The service that says it."),
    "type": N_("What happened, in the past tense, with the version of its form."),
    "subject": N_("What it happened to."),
    "time": N_("When it happened, by the clock of the business."),
    "datacontenttype": N_("What form the data has."),
    "dataschema": N_("Where the form of the data is written down."),
    "sequence": N_("The number of this event in the history of its subject: 1, 2, 3 and so on."),
    "partitionkey": N_("Events with the same key come in order."),
    "recordedtime": N_("When it was written down, by the clock of the machine."),
    "visibility": N_("How far it may travel."),
    "audience": N_("Who among those may learn of it."),
    "actor": N_("Who did it."),
    "onbehalfof": N_("Who lent them the role in which they did it."),
    "policyref": N_("The rule in force, with its version."),
    "correlationid": N_("What else came of the same request carries the same."),
    "causationid": N_("The event that led to it."),
    "traceparent": N_("Its place in a trace."),
    "data": N_("The fact itself."),
}


class Asked(FormModel):
    types: str = Field("", max_length=TYPE_CHARACTERS_MAX)
    cursor: str | None = Field(None, max_length=CURSOR_CHARACTERS_MAX)
    start: str = Field("newest", pattern="^(newest|earliest)$")

    @property
    def from_the_end(self) -> bool:
        """The newest first. With a cursor one goes on from where one was, whatever one began with."""
        return self.start == "newest" and not self.cursor


@dataclass(frozen=True, kw_only=True)
class Shown:
    id: str
    envelope: Envelope
    address: str

    @property
    def at(self) -> datetime:
        return self.envelope.recordedtime


def feed_pages(feed: Feed) -> Pages:
    pages = Pages("feed", templates=Path(__file__).with_name("templates"))

    @pages.get(PATH, may="feed:read")
    async def explore(ask: Ask) -> Response:
        asked = ask.query(Asked)
        wanted = TypeFilter.of([asked.types] if asked.types else ())
        reading = await _read(feed, asked, wanted, _reader(ask))
        found = list(zip(reading.ids, reading.bodies, strict=True))
        if asked.from_the_end:
            found = found[: -EVENTS_A_PAGE - 1 : -1]
        return ask.page(
            "feed/explorer.html",
            events=[_shown(id, body, ask) for id, body in found],
            asked=asked,
            types=_types(),
            next=reading.place.cursor(),
            has_more=reading.has_more,
            curl=_curl(ask, asked),
        )

    @pages.get(f"{PATH}/events/{{id}}", may="feed:read")
    async def event(ask: Ask) -> Response:
        body = await feed.one(ask.path("id")[:ID_CHARACTERS_MAX], _reader(ask))
        if body is None:
            raise NotFound("event_not_found", "There is no such event in the feed")
        plain = json.loads(body)
        return ask.page(
            "feed/event.html",
            one=_shown(ask.path("id"), body, ask),
            body=body.decode(),
            attributes=[(name, value, EXPLAINED.get(name, "")) for name, value in plain.items()],
            bytes_count=len(body),
        )

    return pages


def _reader(ask: Ask) -> Reader:
    return Reader(id=ask.actor.id, grants=ask.actor.grants)


async def _read(feed: Feed, asked: Asked, wanted: TypeFilter, reader: Reader) -> Reading:
    """A page from a place on; or the end of the feed, whose place is behind all there is."""
    if not asked.from_the_end:
        place = Place.read(asked.cursor, wanted) if asked.cursor else Place(filter_hash=filter_hash(wanted))
        return await feed.read(place, wanted, reader, limit=EVENTS_A_PAGE)
    looked_at = NEWEST_OF_A_LANE_BY_TYPE if wanted.globs else NEWEST_OF_A_LANE
    after = {lane: max(high - looked_at, NOTHING_READ) for lane, high in (await feed.marks()).items()}
    place = Place(filter_hash=filter_hash(wanted), after=after)
    return await feed.read(place, wanted, reader, limit=NEWEST_READ_MAX)


def _types() -> list[tuple[str, str]]:
    """Everything about a noun, then each type."""
    nouns = sorted({type.split(".")[0] for type in EVENTS})
    return [*((f"{noun}.*", f"{noun}.*") for noun in nouns), *((type, type) for type in sorted(EVENTS))]


def _curl(ask: Ask, asked: Asked) -> str:
    query = {"types": asked.types, "cursor": asked.cursor or "", "limit": str(EVENTS_A_PAGE), "wait": "20"}
    address = f"{ask.site.origin}/notifications/v1/events?{urlencode({k: v for k, v in query.items() if v})}"
    return f"curl -H 'Authorization: ApiKey {_('YOUR-KEY')}' '{address}'"


def _shown(id: str, body: bytes, ask: Ask) -> Shown:
    envelope = open_envelope(body)
    return Shown(id=id, envelope=envelope, address=page_about(envelope.subject, ask.actor))
