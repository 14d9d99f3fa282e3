"""What a browser sends, read as strictly as an API's body; and what is said of what does not fit."""

from datetime import date
from typing import Annotated

import pytest
from pydantic import Field

from shared.errors import Malformed, Refusal
from shared.http.bodies import Lines
from shared.web.forms import (
    FIELDS_MAX,
    FormDate,
    FormInvalid,
    FormModel,
    errors_of,
    model_of,
    read_form,
)


class Contact(FormModel):
    name: Annotated[str, Field(max_length=10)]


class Sample(FormModel):
    title: Annotated[str, Field(min_length=2, max_length=20)] = "untitled"
    text: Annotated[Lines, Field(max_length=100)] = ""
    count: Annotated[int, Field(ge=1, le=5)] = 1
    agreed: bool = False
    ends_on: FormDate | None = None
    contact: Contact | None = None


def wrong(sent: dict[str, str]) -> dict[str, str]:
    with pytest.raises(FormInvalid) as refused:
        model_of(Sample, sent)
    return {error.field: error.message for error in refused.value.errors}


def test_a_form_is_read_as_it_was_written() -> None:
    body = b"title=a+b&text=one%0D%0Atwo&agreed=no&agreed=yes&empty="
    assert read_form(body) == {"title": "a b", "text": "one\ntwo", "agreed": "yes", "empty": ""}
    assert read_form(b"") == {}
    assert read_form(b"name=%D8%A7") == {"name": "ا"}


@pytest.mark.parametrize(
    "body",
    [b"%ff=1", b"a=%ff", "é=1".encode(), b"a", b"a=1&b", b"&".join([b"a=1"] * (FIELDS_MAX + 1))],
    ids=["name", "value", "no ASCII", "no pair", "half a pair", "too many"],
)
def test_what_is_no_form_is_refused_whole(body: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        read_form(body)
    assert refused.value.code == "form_malformed"


def test_texts_become_what_the_form_means() -> None:
    sent = {
        "title": " Mémoire ",
        "text": "one\ntwo",
        "count": "3",
        "agreed": "yes",
        "ends_on.day": "29",
        "ends_on.month": "02",
        "ends_on.year": "2028",
        "contact.name": "Nia",
        "_key": "not a field",
    }
    read = model_of(Sample, sent)
    assert (read.title, read.text, read.count, read.agreed) == ("Mémoire", "one\ntwo", 3, True)
    assert read.ends_on == date(2028, 2, 29)
    assert read.contact == Contact(name="Nia")


def test_an_empty_field_is_one_that_was_not_sent() -> None:
    sent = {"title": "  ", "ends_on.day": "", "ends_on.month": " ", "ends_on.year": "", "contact.name": ""}
    read = model_of(Sample, sent)
    assert (read.title, read.ends_on, read.contact) == ("untitled", None, None)


@pytest.mark.parametrize(
    ("day", "month", "year", "said"),
    [
        ("31", "2", "2030", "There is no such day"),
        ("0", "1", "2030", "There is no such day"),
        ("1", "13", "2030", "There is no such day"),
        ("1", "1", "30", "Write the year with four digits"),
        ("1", "1", "20300", "Write the year with four digits"),
        ("1", "", "2030", "A date needs a day, a month and a year"),
        ("one", "1", "2030", "Write the day, the month and the year as numbers"),
        ("1.5", "1", "2030", "Write the day, the month and the year as numbers"),
    ],
)
def test_a_day_that_is_none_is_told_what_is_wrong_with_it(day: str, month: str, year: str, said: str) -> None:
    sent = {"ends_on.day": day, "ends_on.month": month, "ends_on.year": year}
    assert wrong({name: value for name, value in sent.items() if value}) == {"ends_on": said}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"title": "x"}, "title"),
        ({"title": "x" * 21}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "good\u202etxt.exe"}, "title"),
        ({"title": "nul\x00nul"}, "title"),
        ({"text": "a\u2067b"}, "text"),
        ({"count": "6"}, "count"),
        ({"count": "three"}, "count"),
        ({"agreed": "perhaps"}, "agreed"),
        ({"contact.name": "x" * 11}, "contact.name"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_said_at_its_field_and_not_repeated(sent: dict[str, str], field: str) -> None:
    said = wrong(sent)
    assert set(said) == {field}
    assert sent[field] not in said[field]


def test_two_fields_in_one_place_are_no_form() -> None:
    with pytest.raises(Malformed):
        model_of(Sample, {"contact": "x", "contact.name": "y"})


def test_a_rule_may_say_which_field_it_is_about() -> None:
    (at_field,) = errors_of(Refusal("taken", "This name is taken", field="title"))
    (whole,) = errors_of(Refusal("closed", "It is closed"))
    assert (at_field.field, at_field.message) == ("title", "This name is taken")
    assert (whole.field, whole.message) == ("", "It is closed")
