"""Cursors: opaque to others, exact to us."""

import base64
from datetime import UTC, datetime

import pytest

from shared.errors import Malformed
from shared.http.paging import Cursor, after


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_cursor_is_read_back_as_it_was_written() -> None:
    at = datetime(2027, 1, 31, 21, 0, 0, 123000, tzinfo=UTC)
    cursor = Cursor(("Café & Co", 7, 2.5, True, at))
    assert Cursor.read(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%%%",
        "é",
        "x" * 1_001,
        encoded("{}"),
        encoded("[]"),
        encoded("7"),
        encoded('[{"$gt": ""}]'),
        encoded('[{"at": "yesterday"}]'),
        encoded('[{"at": "2027-01-31T21:00:00"}]'),
        encoded('[{"at": "0001-01-01T00:00:00+23:59"}]'),
        encoded("[null]"),
        encoded("[[1]]"),
        encoded("[NaN]"),
        encoded("[99999999999999999999]"),
        encoded("[1, 2"),
    ],
)
def test_what_we_did_not_give_out_is_no_cursor(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        Cursor.read(text)
    assert refused.value.code == "cursor_malformed"


def test_what_comes_after_is_later_in_one_key_and_equal_in_those_before() -> None:
    condition = after(Cursor(("b", 3)), [("name", 1), ("version", -1)])
    assert condition == {"$or": [{"name": {"$gt": "b"}}, {"name": "b", "version": {"$lt": 3}}]}


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(Malformed, match="cursor_malformed"):
        after(Cursor(("b",)), [("name", 1), ("_id", 1)])
