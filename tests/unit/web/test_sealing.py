"""What browsers keep for us: unreadable, unchangeable, for one use, under one key."""

import pytest

from shared.clock import SystemClock
from shared.web.sessions import LENGTH_MAX, Seal, Sessions

KEY = "the key of this house, which is long enough"


def test_what_was_sealed_is_opened_by_the_same_key_for_the_same_use_only() -> None:
    sealed = Seal(KEY, "session").close({"subject": "nia"})
    assert "nia" not in sealed
    assert Seal(KEY, "session").open(sealed) == {"subject": "nia"}
    assert Seal(KEY, "browser").open(sealed) is None
    assert Seal(KEY + "!", "session").open(sealed) is None
    assert Seal("", "session").open(sealed) is None


def test_a_house_without_a_key_still_seals_and_nobody_else_can_open_it() -> None:
    one, other = Seal("", "session"), Seal("", "session")
    assert one.open(one.close({"a": "b"})) == {"a": "b"}
    assert other.open(one.close({"a": "b"})) is None


def test_the_same_thing_sealed_twice_looks_different() -> None:
    seal = Seal(KEY, "session")
    assert seal.close({"a": "b"}) != seal.close({"a": "b"})


@pytest.mark.parametrize("text", ["", "A", "AAAA", "é" * 20, "=" * 40, "A" * (LENGTH_MAX + 1), "a b", "\x00"])
def test_what_is_none_of_ours_opens_as_nothing(text: str) -> None:
    assert Seal(KEY, "session").open(text) is None


def test_every_changed_character_is_noticed() -> None:
    seal = Seal(KEY, "session")
    sealed = seal.close({"subject": "nia"})
    for place in range(len(sealed) - 1):  # The last one may hold bits that stand for nothing.
        other = "A" if sealed[place] != "A" else "B"
        assert seal.open(sealed[:place] + other + sealed[place + 1 :]) is None


def test_cookies_are_as_strict_as_the_origin_can_have_them() -> None:
    assert Sessions(KEY, SystemClock(), secure=True).named("concord-x") == "__Host-concord-x"
    assert Sessions(KEY, SystemClock(), secure=False).named("concord-x") == "concord-x"
