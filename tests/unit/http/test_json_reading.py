"""JSON is read strictly: what two readers may read differently is refused."""

import pytest

from shared.errors import Malformed
from shared.http.json_reading import DEPTH_MAX, INTEGER_MAX, read_json


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_what_json_can_say_is_read_as_it_is() -> None:
    body = '{"a": [1, -2.5, 1e3, true, null, "\\u00e9\\ud83d\\ude00"], "b": {}, "": "é"}'.encode()
    assert read_json(body) == {"a": [1, -2.5, 1000.0, True, None, "é😀"], "b": {}, "": "é"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json_malformed"),
        (b"{", "json_malformed"),
        (b'{"a": 1,}', "json_malformed"),
        (b"{'a': 1}", "json_malformed"),
        (b'{"a": 1} {"a": 2}', "json_malformed"),
        (b'\xef\xbb\xbf{"a": 1}', "json_malformed"),
        (b'{"a": "\xff"}', "json_malformed"),
        (b'{"a": "\xed\xa0\x80"}', "json_malformed"),
        (b'{"a": "line\nbreak"}', "json_malformed"),
        (b'{"a": "\x00"}', "json_malformed"),
        (b'{"a": 01}', "json_malformed"),
        (b'{"a": 1, "a": 1}', "json_duplicate_key"),
        (b'{"deep": [{"a": 1, "\\u0061": 2}]}', "json_duplicate_key"),
        (b'{"a": NaN}', "json_not_finite"),
        (b"[Infinity]", "json_not_finite"),
        (b"-Infinity", "json_not_finite"),
        (b'{"a": "x\\u0000y"}', "json_nul"),
        (b'{"x\\u0000": 1}', "json_nul"),
        (b'{"a": "\\ud800"}', "json_lone_surrogate"),
        (b'[["\\udc00\\ud800"]]', "json_lone_surrogate"),
        (b'{"\\ud800": 1}', "json_lone_surrogate"),
        (b"[1e400]", "json_number_too_large"),
        (b"[-1e400]", "json_number_too_large"),
        (b"[" + b"9" * 10_000 + b"]", "json_number_too_large"),
        (nested(100_000), "json_too_deep"),
        (b'{"a":' * 40_000, "json_too_deep"),
    ],
)
def test_what_readers_disagree_about_is_refused_by_name(body: bytes, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_json(body)
    assert refused.value.code == code
    assert refused.value.status == 400


def test_integers_are_taken_as_far_as_every_reader_takes_them() -> None:
    assert read_json(str(INTEGER_MAX).encode()) == INTEGER_MAX
    assert read_json(str(-INTEGER_MAX).encode()) == -INTEGER_MAX
    for beyond in (INTEGER_MAX + 1, -INTEGER_MAX - 1):
        with pytest.raises(Malformed, match="json_number_too_large"):
            read_json(str(beyond).encode())


def test_nesting_is_taken_down_to_its_limit_and_no_deeper() -> None:
    read_json(nested(DEPTH_MAX))
    with pytest.raises(Malformed, match="json_too_deep"):
        read_json(nested(DEPTH_MAX + 1))


def test_no_refusal_repeats_what_was_sent() -> None:
    for body in (b'{"hunter2": 1, "hunter2": 2}', b'{"a": hunter2}', b'{"a": "hunter2\\u0000"}'):
        with pytest.raises(Malformed) as refused:
            read_json(body)
        assert "hunter2" not in f"{refused.value} {refused.value.details}"
