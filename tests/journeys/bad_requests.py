"""Requests that must be refused, made from what each service says of its own routes.

For a route's body, as its description has it, there is one that fits (`fitting`) and then many that do not,
each wrong in one place (`faults`): another type, too long, a character no text may have, a field too many or
too few. Beside them stand bytes that are no JSON to begin with.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy.local.personas import PERSONAS
from shared.contracts.vocabulary import PERMISSIONS, Role

Schema = dict[str, Any]

NOBODY = "0" * 26
# Whoever asks where every signed-in person, or only the house itself, is let in.
ANYBODY = "officer"
# What a text of this name must be to get past the first look.
_TEXTS = {"Zone": "UTC", "Country": "KEN", "Email": "a@example.org", "Url": "http://127.0.0.1:9/hook"}
_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")
_ANOTHER_TYPE: dict[str, tuple[Any, ...]] = {
    "string": (7, 1.5, True, [], {}, ["a text"], {"$ne": ""}),
    "integer": ("3", 1.5, True, [], {}, {"$gt": 0}),
    "array": ("a text", 7, True, {}),
    "object": ("a text", 7, True, []),
}
# As bytes on the wire; `%s` is where a whole body would stand.
NOT_PLAIN_JSON = (
    b"{",
    b"name=Amani",
    b"\xff\xfe{}",
    b'{"name": "\xff"}',
    b'{"name": "a\x00b"}',
    b'{"name": "a\\u0000b"}',
    b'{"name": "a\\ud800b"}',
    b'{"a\\udfff": 1}',
    b'{"name": 1, "name": 2}',
    b'{"name": NaN}',
    b'{"name": 1e999}',
    b'{"name": 99999999999999999999}',
    b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}",
    b"[" * 100_000,
    b"null",
    b"[]",
    b'"a text"',
    b"7",
)


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation of a service, as its description has it. `schemas` are what `$ref`s point to."""

    method: str
    path: str
    may: str
    body: Schema | None
    queries: tuple[str, ...]
    schemas: dict[str, Schema]

    def at(self, id: str) -> str:
        return _PLACEHOLDER.sub(lambda _: id, self.path)

    @property
    def names_something(self) -> bool:
        return "{" in self.path

    @property
    def who(self) -> str:
        """Somebody who may do this everywhere."""
        for persona in PERSONAS:
            if any(not held.scope and self.may in PERMISSIONS[Role(held.role)] for held in persona.grants):
                return persona.key
        return ANYBODY

    @property
    def fitting(self) -> Any:
        return None if self.body is None else _fitting(self.body, self.schemas)

    def faults(self) -> Iterator[tuple[str, bytes]]:
        """What is wrong, and the body that is wrong in that one place."""
        for raw in NOT_PLAIN_JSON:
            yield repr(raw[:30]), raw
        if self.body is None:
            yield "a body where none is taken", b'{"colour": "red"}'
            return
        yield "no body", b""
        for what, value in _faults(self.body, self.schemas):
            yield what, json.dumps(value).encode()


def routes_of(document: dict[str, Any]) -> Iterator[Route]:
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            asked = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
            yield Route(
                method=method.upper(),
                path=path,
                may=operation["x-permission"],
                body=content["application/json"]["schema"] if content else None,
                queries=tuple(asked),
                schemas=schemas,
            )


def _resolved(schema: Schema, schemas: dict[str, Schema]) -> tuple[Schema, bool]:
    """What is meant where a reference stands, or a choice of it and nothing."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        [meant] = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return _resolved(meant, schemas)[0], True
    return schema, False


def _fitting(schema: Schema, schemas: dict[str, Schema]) -> Any:
    schema, _ = _resolved(schema, schemas)
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {name: _fitting(part, schemas) for name, part in schema["properties"].items()}
        case "array":
            return [_fitting(schema["items"], schemas)]
        case "integer":
            return max(int(schema.get("minimum", 1)), 1)
        case "string":
            return _fitting_text(schema)
    raise AssertionError(f"a body has a {schema['type']}, of which nothing is known here")


def _fitting_text(schema: Schema) -> str:
    if schema.get("title") in _TEXTS:
        return _TEXTS[schema["title"]]
    if "format" in schema:
        return {"date": "2027-01-15", "date-time": "2027-01-15T08:00:00Z"}[schema["format"]]
    if "pattern" in schema:
        return "0" * 64
    return "Upgrading three neighbourhoods"[: schema["maxLength"]]


def _faults(schema: Schema, schemas: dict[str, Schema]) -> Iterator[tuple[str, Any]]:
    schema, may_be_absent = _resolved(schema, schemas)
    if not may_be_absent:
        yield "null", None
    for other in _ANOTHER_TYPE[schema["type"]]:
        yield f"{json.dumps(other)} for a {schema['type']}", other
    match schema["type"]:
        case "object":
            yield from _faults_of_object(schema, schemas)
        case "array":
            yield from _faults_of_list(schema, schemas)
        case "integer":
            yield from _faults_of_number(schema)
        case "string":
            yield from _faults_of_text(schema)


def _faults_of_object(schema: Schema, schemas: dict[str, Schema]) -> Iterator[tuple[str, Any]]:
    good = _fitting(schema, schemas)
    for unknown in ("colour", "$set", "__proto__", "_id", "a" * 5_000, "\ud800"):
        yield f"unknown field {unknown[:20]!r}", {**good, unknown: "red"}
    for name, part in schema["properties"].items():
        if name in schema.get("required", ()):
            yield f"no {name}", {field: value for field, value in good.items() if field != name}
        for what, bad in _faults(part, schemas):
            yield f"{name}: {what}", {**good, name: bad}


def _faults_of_list(schema: Schema, schemas: dict[str, Schema]) -> Iterator[tuple[str, Any]]:
    one = _fitting(schema["items"], schemas)
    yield "too many of them", [one] * (schema["maxItems"] + 1)
    for what, bad in _faults(schema["items"], schemas):
        yield f"among them {what}", [bad]


def _faults_of_number(schema: Schema) -> Iterator[tuple[str, Any]]:
    if "exclusiveMinimum" in schema:
        yield "too small", int(schema["exclusiveMinimum"])
    yield "far too small", -(2**53) + 1
    yield "too large", int(schema["maximum"]) + 1
    yield "far too large", 2**60


def _faults_of_text(schema: Schema) -> Iterator[tuple[str, Any]]:
    good = _fitting_text(schema) if "enum" not in schema else schema["enum"][0]
    for character in ("\u0007", "\u0000", "\u007f", "\u0085", "\ud800", "\udfff", "\u202e", "\u2066"):
        yield f"a text with {character!a}", good[:1] + character + good[1:]
    yield "a text that is much too long", "n" * (schema.get("maxLength", 1_000) + 1)
    if schema.get("minLength"):
        yield "an empty text", ""
        yield "a text of spaces", "   "
    if "enum" in schema:
        yield "not one of them", "somebody_else"
    if "format" in schema or "pattern" in schema:
        yield "a text of another form", "not of that form"
