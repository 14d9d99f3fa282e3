"""JSON, read strictly, before any framework sees it.

Python's own reader is lenient where systems disagree, and where systems disagree somebody is deceived: of two
equal keys one reader takes the first and another the last; NaN is no JSON; 2**60 is another number in a
browser; half a surrogate pair cannot be stored; NUL ends a text for some. All of these are refused here, each
with a code of its own, and no refusal repeats what was sent.
"""

import json
import math
import re
from typing import Any, NoReturn

from shared.errors import Malformed

DEPTH_MAX = 32
# RFC 7493: beyond this, integers are not the same number everywhere.
INTEGER_MAX = 2**53 - 1
_INTEGER_DIGITS_MAX = len(str(INTEGER_MAX))
_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json(body: bytes) -> Any:
    """The value these bytes say, or a Malformed that says what is wrong with them."""
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise Malformed("json_malformed", "The body is not UTF-8", at_byte=error.start) from None
    except json.JSONDecodeError as error:
        raise Malformed(
            "json_malformed", "The body is not JSON", line=error.lineno, column=error.colno
        ) from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    if b"\\u" in body:  # Raw bytes that are UTF-8 and JSON can hold neither; only an escape can.
        _check_characters(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise Malformed("json_duplicate_key", "An object in the body has the same key twice")
    return read


def _refuse_constant(constant: str) -> NoReturn:
    raise Malformed("json_not_finite", "NaN and Infinity are not JSON")


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _INTEGER_DIGITS_MAX or abs(number := int(digits)) > INTEGER_MAX:
        raise _too_large()
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _too_large()
    return number


def _too_large() -> Malformed:
    return Malformed("json_number_too_large", "A number in the body is too large", integer_max=INTEGER_MAX)


def _too_deep() -> Malformed:
    return Malformed("json_too_deep", "The body is nested too deep", depth_max=DEPTH_MAX)


def _check_depth(value: Any) -> None:
    """Level by level, so that depth costs no stack."""
    level, depth = [value], 0
    while containers := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        if depth > DEPTH_MAX:
            raise _too_deep()
        level = [child for one in containers for child in (one.values() if isinstance(one, dict) else one)]


def _check_characters(value: Any) -> None:
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            _check_text(one)
        elif isinstance(one, list):
            todo.extend(one)
        elif isinstance(one, dict):
            todo.extend(one)
            todo.extend(one.values())


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Malformed("json_nul", "A text in the body holds the character NUL")
    if _SURROGATE.search(text):
        raise Malformed("json_lone_surrogate", "A text in the body holds half a surrogate pair")
