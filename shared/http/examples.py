"""An example of whatever a schema describes, so that no operation is without one.

A field is shown as the house writes it: as its own schema's example says, as the list below has it, or as the
events of the catalogue have a field of this name; else by its type alone. What does not fit the field's
schema is passed over, so an example can always be sent as it stands.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from shared.contracts import catalogue
from shared.contracts.envelope import Provenance, seal

Schema = Mapping[str, Any]
Schemas = Mapping[str, Schema]

DEPTH_MAX = 8
_MOMENT = "2027-01-15T08:00:00Z"
_UUID = "01938a3c-0000-7000-8000-000000000000"
_PERSON = "prs_01JD0000000000000000000002"
_FORMATS = {"date": "2027-01-15", "date-time": _MOMENT, "uuid": _UUID}
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
# Fields of answers and bodies that no event has.
_NAMED: Mapping[str, tuple[Any, ...]] = {
    "address": (None,),
    "ahead_s": (864_000,),
    "answer": ("ok",),
    "attempts": (1,),
    "body": ("Slum Dwellers Federation of Kisumu was suspended.",),
    "by_s": (864_000,),
    "code": ("inv_7Q2mZkT4b8Rj5yX1cVwLhN0pEaSdGfUo",),
    "content": ("1. Both sides work together on participatory slum upgrading in Kisumu.",),
    "disabled_because": (None,),
    "email": ("grace.achieng@example.org",),
    "error": (None,),
    "event_type": ("partner.suspended.v1",),
    "id": (_UUID,),
    "key": ("ck_01JD0000000000000000000006_9vQwZ3kT7mB1xR5yN8pL2cJ4hG6fD0sA",),
    "message_id": ("<01938a3c@concord.example.org>",),
    "method": ("click",),
    "name": ("Grace Achieng",),
    "next": (None,),
    "now": (_MOMENT,),
    "number": (1,),
    "old_until": (None,),
    "outcome": ("accepted",),
    "partner_ids": (["ptn_01JD0000000000000000000001"],),
    "policy": ("mou/1",),
    "replay_id": (None,),
    "seq": (41,),
    "secret": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
    "settled_at": ("2027-01-15T08:00:01Z",),
    "status": (204,),
    "text": ("1. Both sides work together on participatory slum upgrading in Kisumu.",),
    "took_ms": (38,),
    "url": ("https://portal.example.org/concord/events",),
    "value": ("KEN",),
    "version": (3,),
    "wording": ("I have read this text and sign it.",),
}


def example_of_event(type: str, subject: str) -> Any:
    """As it travels, in its envelope."""
    at = datetime.fromisoformat(_MOMENT)
    provenance = Provenance(actor=_PERSON, time=at, recorded_at=at, correlation_id=_UUID)
    event = catalogue.EVENTS[type].model_validate(catalogue.EVENTS[type].example)
    source = "/concord/partners"
    return json.loads(seal(event, id=_UUID, source=source, subject=subject, version=2, provenance=provenance))


def example_of(schema: Schema, schemas: Schemas) -> Any:
    """`schemas`: what references point to, by name."""
    return _Examples(schemas).of(schema, "", "", 0)


class _Examples:
    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def of(self, schema: Schema, name: str, model: str, depth: int) -> Any:
        for value in (*_said(schema), *_known(name, model)):
            if self._fits(schema, value):
                return value
        schema = self._meant(schema)
        for value in _said(schema):
            return value
        match schema.get("type"):
            case "object" if depth < DEPTH_MAX:
                return self._object(schema, depth)
            case "array" if depth < DEPTH_MAX:
                one = self.of(schema.get("items", {}), name.removesuffix("s"), model, depth + 1)
                return [one]
        return _by_type(schema, name)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        model = str(schema.get("title", ""))
        fields: Mapping[str, Schema] = schema.get("properties", {})
        if not fields and isinstance(schema.get("additionalProperties"), Mapping):
            return {"example": self.of(schema["additionalProperties"], "", model, depth + 1)}
        return {name: self.of(field, name, model, depth + 1) for name, field in fields.items()}

    def _meant(self, schema: Schema) -> Schema:
        """What stands behind a reference, or first in a choice that is not nothing."""
        if "$ref" in schema:
            return self._meant(self._schemas[schema["$ref"].rpartition("/")[2]])
        for way in ("anyOf", "oneOf"):
            if way in schema:
                return self._meant(next(one for one in schema[way] if one.get("type") != "null"))
        return schema

    def _fits(self, schema: Schema, value: Any) -> bool:
        if "$ref" in schema:
            return self._fits(self._meant(schema), value)
        for way in ("anyOf", "oneOf"):
            if way in schema:
                return any(self._fits(one, value) for one in schema[way])
        if "enum" in schema or "const" in schema:
            return value in schema.get("enum", [schema.get("const")])
        match schema.get("type"), value:
            case "null", None:
                return True
            case "string", str():
                return _text_fits(schema, value)
            case "boolean", bool():
                return True
            case ("integer", int()) | ("number", int() | float()) if not isinstance(value, bool):
                return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
            case "array", list():
                return all(self._fits(schema.get("items", {}), one) for one in value)
            case "object", dict():
                return self._object_fits(schema, value)
        return not schema.get("type")

    def _object_fits(self, schema: Schema, value: Mapping[str, Any]) -> bool:
        fields: Mapping[str, Schema] = schema.get("properties", {})
        return value.keys() == fields.keys() and all(
            self._fits(fields[name], inner) for name, inner in value.items()
        )


def _said(schema: Schema) -> Iterator[Any]:
    if "example" in schema:
        yield schema["example"]
    yield from schema.get("examples", ())


def _known(name: str, model: str) -> Iterator[Any]:
    """What the house has under this name. `id` is whose the model speaks of: of PartnerOut a partner's."""
    if name == "id":
        words = [word.lower() for word in re.findall("[A-Z][a-z]*", model)]
        for length in range(len(words), 0, -1):
            yield from _in_catalogue().get("_".join([*words[:length], "id"]), ())
    yield from _NAMED.get(name, ())
    yield from _in_catalogue().get(name, ())
    if name.endswith("sha256"):
        yield _SHA256


@cache
def _in_catalogue() -> Mapping[str, list[Any]]:
    """What the examples of the events have under each name; nothing last, where it is among them."""
    found: dict[str, list[Any]] = {}
    for kind in catalogue.EVENTS.values():
        for name, value in kind.example.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return {name: sorted(values, key=lambda value: value is None) for name, values in found.items()}


def _text_fits(schema: Schema, value: str) -> bool:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        return False
    if "pattern" in schema and re.search(schema["pattern"], value) is None:
        return False
    form = {"date": 10, "date-time": len(_MOMENT), "uuid": 36}.get(schema.get("format", ""))
    return form is None or (len(value) == form and value[:1].isdigit())


def _by_type(schema: Schema, name: str) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    match schema.get("type"):
        case "integer" | "number":
            return max(int(schema.get("minimum", 1)), 1)
        case "boolean":
            return True
        case "string":
            text = _FORMATS.get(schema.get("format", ""), name.replace("_", " ") or "text")
            return text[: schema.get("maxLength", len(text))]
    return None
