"""A reader's place in the feed, as a cursor."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.deliveries.domain.types import TypeFilter
from services.notifications.feed.documents import lane_of, place_id
from services.notifications.feed.domain import Place, filter_hash
from shared.errors import Malformed

ALL = TypeFilter()
lanes = st.builds(lane_of, st.just("concord.partners.v1"), st.integers(0, 11))


def refused(text: str, wanted: TypeFilter = ALL) -> str:
    with pytest.raises(Malformed) as refusal:
        Place.read(text, wanted)
    return refusal.value.code


@given(st.dictionaries(lanes, st.integers(-1, 2**53 - 1), max_size=36))
def test_a_cursor_names_the_place_it_was_made_of(after: dict[str, int]) -> None:
    place = Place(filter_hash=filter_hash(ALL), after=after)
    assert Place.read(place.cursor(), ALL) == place


def test_a_cursor_of_another_filter_is_refused_because_it_would_skip() -> None:
    cursor = Place(filter_hash=filter_hash(ALL)).cursor()
    assert refused(cursor, TypeFilter.of(["agreement.*"])) == "cursor_of_other_filter"


@given(st.text(max_size=60))
def test_what_is_no_cursor_of_ours_is_refused(text: str) -> None:
    assert refused(text) == "cursor_malformed"


@pytest.mark.parametrize(
    "plain",
    [
        '{"v":2,"filter":"0000000000000000","after":{}}',
        '{"v":1,"filter":"0000000000000000","after":{"a":1.5}}',
        '{"v":1,"filter":"0000000000000000","after":{"a":{"$gt":1}}}',
        '{"v":1,"filter":"0000000000000000","after":{"$where":1}}',
        '{"v":1,"filter":"0000000000000000","after":{"a":-2}}',
        '{"v":1,"filter":"0000000000000000","after":{"a":1},"more":1}',
        "[]",
        "null",
    ],
)
def test_a_cursor_that_somebody_made_up_is_refused(plain: str) -> None:
    assert refused(base64.urlsafe_b64encode(plain.encode()).rstrip(b"=").decode()) == "cursor_malformed"


def test_a_cursor_longer_than_any_of_ours_is_refused() -> None:
    assert refused("A" * 100_000) == "cursor_malformed"


@given(st.integers(-1, 10**15), st.integers(-1, 10**15))
def test_places_sort_as_their_offsets_do(one: int, other: int) -> None:
    lane = lane_of("concord.partners.v1", 3)
    assert (place_id(lane, one) < place_id(lane, other)) is (one < other)
