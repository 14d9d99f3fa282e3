"""The feed over HTTP: long polling with a cursor. The items are the events' own bytes."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic_core import to_json
from starlette.responses import Response

from services.notifications.deliveries.domain.disclosure import Reader
from services.notifications.deliveries.domain.types import TYPES_MAX, TypeFilter
from services.notifications.feed.domain import CURSOR_CHARACTERS_MAX, Place, filter_hash
from services.notifications.feed.queries import Feed
from shared.http.app import Routes, Work
from shared.http.examples import example_of_event

LIMIT_MAX = 500
LIMIT_USUAL = 100
# Within the longest that a request may take.
WAIT_S_MAX = 25
_EXAMPLE = {
    # The bytes of the events, as they were written once.
    "items": [example_of_event("partner.suspended.v1", "ptn_01JD0000000000000000000001")],
    "next": "eyJmIjoiYyIsImEiOnsiMCI6MTd9fQ",
    "has_more": False,
    "lag": 0,
}


def feed_routes(feed: Feed) -> Routes:
    routes = Routes("notifications", room="feed")

    @routes.get("/events", may="feed:read", response_class=Response, shows={"application/json": _EXAMPLE})
    async def read_events(
        work: Work,
        types: Annotated[
            list[str] | None,
            Query(max_length=TYPES_MAX, description="Types such as agreement.* or partner.registered.v1."),
        ] = None,
        cursor: Annotated[
            str | None,
            Query(max_length=CURSOR_CHARACTERS_MAX, description="`next` of the answer before, unchanged."),
        ] = None,
        start: Annotated[
            Literal["earliest", "latest"], Query(description="Where to begin without a cursor.")
        ] = "earliest",
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="At most how many.")] = LIMIT_USUAL,
        wait: Annotated[
            int, Query(ge=0, le=WAIT_S_MAX, description="Seconds to wait for an event where there is none.")
        ] = 0,
    ) -> Response:
        """Events from a place on: {items, next, has_more, lag}. Nothing the caller may know is skipped."""
        wanted = TypeFilter.of(types or ())
        if cursor is not None:
            place = Place.read(cursor, wanted)
        else:
            after = await feed.marks() if start == "latest" else {}
            place = Place(filter_hash=filter_hash(wanted), after=after)
        actor = work.context.actor
        reader = Reader(id=actor.id, grants=actor.grants)
        reading = await feed.read_or_wait(place, wanted, reader, limit=limit, wait_s=wait)
        rest = to_json({"next": reading.place.cursor(), "has_more": reading.has_more, "lag": reading.lag})
        body = b'{"items":[' + b",".join(reading.bodies) + b"]," + rest[1:]
        return Response(body, media_type="application/json")

    return routes
