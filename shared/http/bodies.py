"""What comes in and what goes out: the two kinds of model at the HTTP edge.

A `Body` is strict about texts, because a text is kept for years and shown to others: no control characters,
no half surrogates, nothing that turns the direction of reading around what stands beside it; one Unicode
spelling (NFC), nothing but the text at either end. Whether lines may be broken, the field says. Numbers are
numbers and booleans are booleans; a number in quotes is not one.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_DIRECTION = "\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029{_DIRECTION}]")
_CONTROL_BUT_LINES = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_DIRECTION}]")
_LINE_END = re.compile("\r\n?")
_STRICT = frozenset({"int", "float", "bool", "str"})
_TEMPORAL = frozenset({"datetime", "date", "time", "timedelta"})
_BOUNDS = ("maxLength", "enum", "const", "pattern")
_SHORT_FORMATS = frozenset({"date-time", "date", "time", "duration", "uuid"})
_LINES = "lines_may_be_broken"
_DONE = "read_strictly"


class _Lines:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        schema["metadata"] = {**schema.get("metadata", {}), _LINES: True}  # type: ignore[index]
        return schema


# For a field in which lines may be broken: `reason: Lines = Field(max_length=2_000)`.
Lines = Annotated[str, _Lines()]


def _read_strictly(schema: Any) -> None:
    """In place, wherever in a body it stands: texts are cleaned, and no type is made of another."""
    if isinstance(schema, list | tuple):
        for inner in schema:
            _read_strictly(inner)
        return
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        if key not in ("metadata", "serialization", "default"):
            _read_strictly(inner)
    metadata = schema.setdefault("metadata", {}) if schema.get("type") in _STRICT | _TEMPORAL else {}
    if schema.get("type") in _STRICT:
        schema["strict"] = True
    if metadata.get(_DONE):
        return
    metadata[_DONE] = True
    if schema.get("type") == "str":
        _put_before(schema, _clean_lines if metadata.get(_LINES) else _clean)
    elif schema.get("type") in _TEMPORAL:
        _put_before(schema, _refuse_number)


def clean_texts(schema: Any) -> None:
    """In place: the same care for texts alone, where everything comes as a text, as from a form."""
    if isinstance(schema, list | tuple):
        for inner in schema:
            clean_texts(inner)
        return
    if not isinstance(schema, dict):
        return
    for key, inner in schema.items():
        if key not in ("metadata", "serialization", "default"):
            clean_texts(inner)
    if schema.get("type") != "str" or schema.get("metadata", {}).get(_DONE):
        return
    metadata = schema.setdefault("metadata", {})
    metadata[_DONE] = True
    _put_before(schema, _clean_lines if metadata.get(_LINES) else _clean)


def _put_before(schema: dict[str, Any], first: Callable[[Any], Any]) -> None:
    inner: Any = dict(schema)
    schema.clear()
    schema.update(core_schema.no_info_before_validator_function(first, inner))


def _clean(value: Any) -> Any:
    return _cleaned(value, _CONTROL) if isinstance(value, str) else value


def _clean_lines(value: Any) -> Any:
    return _cleaned(_LINE_END.sub("\n", value), _CONTROL_BUT_LINES) if isinstance(value, str) else value


def _cleaned(text: str, not_allowed: re.Pattern[str]) -> str:
    if not_allowed.search(text):
        raise PydanticCustomError("character_not_allowed", "This holds a character that a text cannot have")
    return unicodedata.normalize("NFC", text).strip()


def _refuse_number(value: Any) -> Any:
    if isinstance(value, int | float):
        raise PydanticCustomError("wrong_type", "A time is written as a text")
    return value


class Body(BaseModel):
    """What a request may say. Unknown fields are refused; every text needs a `max_length`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _read_strictly(schema)
        return schema


class Answer(BaseModel):
    """What a request is told. No field has a default: what is not known is said to be null."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        for name, field in cls.model_fields.items():
            if not field.is_required():
                raise TypeError(f"{cls.__name__}.{name} has a default: say null where nothing is known")


def require_limits(body: type[Body]) -> None:
    """Every text of a body has a length it may not exceed; said when the route is made, not when it is
    used.
    """
    schema = body.model_json_schema(mode="validation")
    for name, model in {body.__name__: schema, **schema.get("$defs", {})}.items():
        for field, of_field in model.get("properties", {}).items():
            if _is_unlimited(of_field):
                raise TypeError(f"{name}.{field} is a text of any length: give it a max_length")


def _is_unlimited(schema: dict[str, Any]) -> bool:
    if schema.get("type") == "string":
        return schema.get("format") not in _SHORT_FORMATS and not any(bound in schema for bound in _BOUNDS)
    if {"number", "string"} == {one.get("type") for one in schema.get("anyOf", ())} - {"null"}:
        return False  # A decimal, which may be written either way.
    inner = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("prefixItems", ())]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    return any(_is_unlimited(one) for one in inner)
