"""The words of notices: the same in six languages, and safe whatever is put into them."""

import string

import pytest

from services.notifications.deliveries.domain.rules import RULE_SETS
from services.notifications.deliveries.domain.words import (
    VALUE_IN_SUBJECT_CHARACTERS_MAX,
    WORDS,
    text_of,
)

LANGUAGES = ("ar", "en", "es", "fr", "ru", "zh")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_there_are_words_in_the_six_languages_of_the_organisation() -> None:
    assert tuple(sorted(WORDS)) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_words_in_every_language(language: str) -> None:
    assert set(WORDS[language]) == {rule.name for rules in RULE_SETS for rule in rules.rules}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_values_stand_in_every_language(language: str) -> None:
    for key, (subject, body) in WORDS[language].items():
        expected_subject, expected_body = WORDS["en"][key]
        assert places(subject) == places(expected_subject), key
        assert places(body) == places(expected_body), key


def test_values_cannot_turn_the_text_around_them_nor_break_its_lines() -> None:
    content = {"words": "partner_suspended", "label": "\u202eevil\u2066\r\nBcc: x", "reason": "{label}"}
    text = text_of(content, language="ar")
    assert "\u202e" not in text.subject + text.body and "\n" not in text.subject
    assert "\u2068evil Bcc: x\u2069" in text.subject
    assert "\u2068{label}\u2069" in text.body, "a value is never read as a place for another"


def test_a_long_value_is_shortened_in_the_subject() -> None:
    text = text_of({"words": "partner_registered", "label": "x" * 400}, language="en")
    assert "x" * (VALUE_IN_SUBJECT_CHARACTERS_MAX - 1) + "…" in text.subject
    assert "x" * 400 in text.body


def test_a_language_we_do_not_have_falls_back_and_says_so() -> None:
    assert text_of({"words": "partner_registered", "label": "A"}, language="sw").language == "en"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Africa/Nairobi", "2027-04-01 00:00 (Africa/Nairobi)"),
        ("Mars/Olympus", "2027-03-31 21:00 (UTC)"),
        ("../etc/passwd", "2027-03-31 21:00 (UTC)"),
    ],
)
def test_an_instant_is_shown_in_the_readers_zone(zone: str, shown: str) -> None:
    content = {"words": "agreement_sent", "label": "A", "title": "T", "closes_at": "2027-03-31T21:00:00Z"}
    assert shown in text_of(content, language="en", zone=zone).body


def test_a_value_that_an_old_event_did_not_have_leaves_a_dash() -> None:
    assert "–" in text_of({"words": "partner_suspended", "label": "A"}, language="en").body
