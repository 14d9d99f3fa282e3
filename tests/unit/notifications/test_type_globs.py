"""Which types an endpoint or a feed reader asked for."""

import pytest

from services.notifications.deliveries.domain.types import TYPES_MAX, TypeFilter
from shared.errors import Invalid


@pytest.mark.parametrize(
    ("glob", "type", "taken"),
    [
        ("agreement.*", "agreement.drafted.v1", True),
        ("agreement.*", "agreement_text.drafted.v1", False),
        ("agreement.*.v1", "agreement.drafted.v1", True),
        ("agreement.*.v1", "agreement.drafted.v2", False),
        ("partner.registered.v1", "partner.registered.v1", True),
        ("partner.registered", "partner.registered.v1", False),
        ("partner.registered.*", "partner.registered.v2", True),
        ("*.expired.v1", "agreement.expired.v1", True),
        ("*.expired.v1", "agreement.lapsed.v1", False),
        ("*", "role.granted.v1", True),
    ],
)
def test_a_star_stands_for_a_segment_and_at_the_end_for_all_that_follow(
    glob: str, type: str, taken: bool
) -> None:
    assert TypeFilter.of([glob]).takes(type) is taken


def test_no_glob_at_all_takes_every_type() -> None:
    assert TypeFilter.of([]).takes("partner.registered.v1")


def test_the_same_wishes_are_the_same_filter() -> None:
    assert TypeFilter.of(["b.*", "a.*", "b.*"]) == TypeFilter.of(["a.*", "b.*"])


@pytest.mark.parametrize("glob", ["", "a..b", "a.*b", "(a+)+$", "A.b", "a.b.c.d", "a b", "ä.*"])
def test_what_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(Invalid) as refusal:
        TypeFilter.of([glob])
    assert refusal.value.code == "type_glob_malformed"


def test_more_wishes_than_a_filter_can_hold_are_refused() -> None:
    assert TypeFilter.of([f"a{number}.*" for number in range(TYPES_MAX)])
    with pytest.raises(Invalid) as refusal:
        TypeFilter.of([f"a{number}.*" for number in range(TYPES_MAX + 1)])
    assert refusal.value.code == "too_many_types"
