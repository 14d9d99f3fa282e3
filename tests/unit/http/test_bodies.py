"""What a request may say, and what it is told."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

import pytest
from pydantic import Field, ValidationError

from shared.http.bodies import Answer, Body, Lines, require_limits


class Inner(Body):
    labels: list[Annotated[str, Field(max_length=10)]]
    remark: Lines | None = Field(None, max_length=20)


class Outer(Body):
    name: str = Field(min_length=1, max_length=10)
    reason: Lines = Field(max_length=20)
    count: int = 1
    share: float = 0.5
    agreed: bool = True
    amount: Decimal = Decimal(0)
    at: datetime | None = None
    inner: Inner | None = None

    good: ClassVar[dict[str, Any]] = {"name": "Amani", "reason": "late"}


def faults(**changed: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        Outer.model_validate({**Outer.good, **changed})
    return [(".".join(map(str, error["loc"])), error["type"]) for error in refused.value.errors()]


def test_texts_are_trimmed_and_spelt_in_one_way() -> None:
    read = Outer.model_validate({"name": "  Zoe\u0308 ", "reason": "one\r\ntwo\rthree\tfour "})
    assert read.name == "Zo\u00eb"
    assert read.reason == "one\ntwo\nthree\tfour"


@pytest.mark.parametrize(
    "character", ["\n", "\t", "\x07", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\ud800"]
)
def test_a_text_of_one_line_holds_no_character_that_changes_what_is_seen(character: str) -> None:
    assert faults(name=f"Am{character}ni") == [("name", "character_not_allowed")]
    assert faults(name=f"Amani{character}") == [("name", "character_not_allowed")]


@pytest.mark.parametrize("character", ["\x07", "\x0b", "\x85", "\u202a", "\u2069", "\udfff"])
def test_a_text_of_many_lines_breaks_lines_and_does_nothing_else(character: str) -> None:
    assert faults(reason=f"a{character}b") == [("reason", "character_not_allowed")]


def test_the_rules_hold_inside_lists_and_bodies_within_bodies() -> None:
    read = Outer.model_validate({**Outer.good, "inner": {"labels": [" a "], "remark": "x\ny"}})
    assert read.inner == Inner(labels=["a"], remark="x\ny")
    assert faults(inner={"labels": ["a\n"]}) == [("inner.labels.0", "character_not_allowed")]
    assert faults(inner={"labels": [], "other": 1}) == [("inner.other", "extra_forbidden")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 5),
        ("name", None),
        ("name", ["Amani"]),
        ("count", "1"),
        ("count", True),
        ("count", 1.5),
        ("share", "0.5"),
        ("agreed", 1),
        ("agreed", "true"),
        ("at", 1_700_000_000),
        ("at", "yesterday"),
        ("inner", "x"),
    ],
)
def test_nothing_is_made_of_another_type(field: str, value: Any) -> None:
    (place, _), *rest = faults(**{field: value})
    assert (place, rest) == (field, [])


def test_a_text_has_its_length_after_trimming() -> None:
    assert Outer.model_validate({**Outer.good, "name": " " * 5 + "0123456789" + " " * 5}).name == "0123456789"
    assert faults(name="0123456789a") == [("name", "string_too_long")]
    assert faults(name="   ") == [("name", "string_too_short")]


def test_a_body_with_a_text_of_any_length_is_not_a_body() -> None:
    class Unlimited(Body):
        labels: list[str]

    with pytest.raises(TypeError, match=r"Unlimited\.labels .* max_length"):
        require_limits(Unlimited)


def test_texts_whose_form_limits_them_need_no_length() -> None:
    class Limited(Body):
        day: date
        id: UUID
        amount: Decimal | None
        country: Annotated[str, Field(pattern="^[A-Z]{3}$")]
        outer: Outer

    require_limits(Limited)
    with pytest.raises(ValidationError):
        Limited.model_validate({"country": "K" * 1_000_000})


def test_an_answer_says_everything_it_can_say() -> None:
    with pytest.raises(TypeError, match=r"Silent\.note has a default"):

        class Silent(Answer):
            note: str | None = None
