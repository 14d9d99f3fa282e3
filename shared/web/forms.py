"""Forms as browsers send them: read under limits, shown again with what was sent and what was wrong.

A field is named by its place, `contact.name`; a date has three fields, `ends_on.day`, `.month`, `.year`. An
empty field is one that was not sent. What a form model takes is as strict as an API's body.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, PydanticCustomError

from shared.errors import Invalid, Malformed, Refusal
from shared.http.bodies import clean_texts
from shared.http.problems import code_of, message_of
from shared.web.language import N_, _

FIELDS_MAX = 200
FORM = "application/x-www-form-urlencoded"
KEY_FIELD = "_key"
VERSION_FIELD = "_version"
_YEAR_DIGITS = 4
_PARTS = ("year", "month", "day")

F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True)
class FieldError:
    """`field` is where the reader can mend it; empty where it is the form as a whole."""

    field: str
    message: str


class FormModel(BaseModel):
    """What a form or a query is read into. A browser sends texts only, so numbers may be written as texts;
    a text is as clean as one of a `Body`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        clean_texts(schema)
        return schema


def read_form(body: bytes) -> dict[str, str]:
    """Of a name sent twice the last counts: a box that is ticked comes after the hidden field beside it."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except (UnicodeDecodeError, ValueError):
        raise Malformed("form_malformed", "The form cannot be read") from None
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def model_of(model: type[F], sent: Mapping[str, str]) -> F:
    """Raises FormInvalid, which says of each field what is wrong with it."""
    try:
        return model.model_validate(_nested(sent))
    except ValidationError as error:
        raise FormInvalid(tuple(_field_error(one) for one in error.errors())) from None


class FormInvalid(Invalid):
    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("request_invalid", "Something in the request is not as it must be")
        self.errors = tuple(errors)


def errors_of(refusal: Refusal) -> tuple[FieldError, ...]:
    """What the summary on top of a form shows. A refusal may say which field it is about."""
    if isinstance(refusal, FormInvalid):
        return refusal.errors
    return (FieldError(str(refusal.details.get("field", "")), _(refusal.message)),)


def _nested(sent: Mapping[str, str]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in sent.items():
        if not value.strip():
            continue
        *way, last = name.split(".")
        inner = nested
        for step in way:
            found = inner.setdefault(step, {})
            if not isinstance(found, dict):
                raise Malformed("form_malformed", "The form cannot be read")
            inner = found
        inner[last] = value
    return nested


def _field_error(error: Mapping[str, Any]) -> FieldError:
    field = ".".join(str(step) for step in error["loc"])
    if code_of(error) is None:
        return FieldError(field, _(str(error["msg"])))
    return FieldError(field, message_of(error, translate=_))


def _date_of_parts(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    try:
        year, month, day = (int(str(value[part]).strip()) for part in _PARTS)
    except KeyError:
        raise PydanticCustomError("date_incomplete", _INCOMPLETE) from None
    except ValueError:
        raise PydanticCustomError("date_not_numbers", _NOT_NUMBERS) from None
    if len(str(year)) != _YEAR_DIGITS:
        raise PydanticCustomError("date_year", _YEAR)
    try:
        return date(year, month, day)
    except ValueError:
        raise PydanticCustomError("date_not_there", _NOT_THERE) from None


_INCOMPLETE = N_("A date needs a day, a month and a year")
_NOT_NUMBERS = N_("Write the day, the month and the year as numbers")
_YEAR = N_("Write the year with four digits")
_NOT_THERE = N_("There is no such day")

# A day in three fields.
FormDate = Annotated[date, BeforeValidator(_date_of_parts)]
