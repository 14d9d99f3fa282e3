"""What is shown can be shown in another language: the catalogues are whole, and no template shows a text that
is in none.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from shared.web import catalogues
from shared.web.language import LANGUAGES, USUAL, catalogue_file
from tests.structure.source import ROOT, tracked

OTHERS = sorted(set(LANGUAGES) - {USUAL})
PLURALS = {"ar": 6}
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|\{[a-z_]+\}|%(?![(%])")
# As a macro writes it that is called within a tag.
ATTRIBUTE = re.compile(r"""[a-z-]+=("[^"]*"|'[^']*')""")
LETTERS = re.compile(r"[A-Za-z]{2,}")
TEMPLATES = [name for name in tracked() if name.endswith(".html") and "/templates/" in name]
OURS = [name for name in TEMPLATES if name.startswith(("shared/", "services/"))]
# What is the same in every language: names, and what a machine is told.
UNSPOKEN = {"Concord"}
SPOKEN_ATTRIBUTES = ("aria-label", "aria-description", "placeholder", "title", "alt", "label")
SILENT = ("script", "style", "pre", "code", "kbd")


def messages(language: str) -> list[Message]:
    return [message for message in catalogues.read(language) if message.id]


def forms_of(message: Message) -> list[str]:
    """One, or one for each way to count."""
    return [message.string or ""] if isinstance(message.string, str | None) else list(message.string)


def plain(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_what_the_sources_say(language: str) -> None:
    fresh = catalogues.brought_up_to_date(language, catalogues.texts())
    assert catalogue_file(language).read_text() == catalogues.written(fresh), (
        "Bring it up to date: python -m shared.web.catalogues"
    )


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_whole(language: str) -> None:
    assert catalogues.missing(catalogues.read(language)) == [], "Say it in this language too"


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_guessed(language: str) -> None:
    assert [plain(message) for message in messages(language) if message.fuzzy] == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_counted_has_every_form_of_the_language(language: str) -> None:
    counted = [message for message in messages(language) if message.pluralizable]
    assert counted, "something is counted"
    assert {len(forms_of(message)) for message in counted} == {PLURALS[language]}


@pytest.mark.parametrize("language", OTHERS)
def test_every_translation_fills_in_what_the_text_does(language: str) -> None:
    """Where one or two are said in a word, their number need not be filled in."""
    found = []
    for message in messages(language):
        forms = forms_of(message)
        wanted = placeholders(message.id if isinstance(message.id, str) else message.id[1])
        for number, form in enumerate(forms):
            spared = {"%(num)s"} if len(forms) > 1 and number <= 2 else set()
            if not wanted - spared <= placeholders(form) <= wanted:
                found.append((plain(message), form))
    assert found == []


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_names_no_place_and_no_date(language: str) -> None:
    text = catalogue_file(language).read_text()
    assert not re.search(r"^#:|^#~|Creation-Date|Revision-Date|Translator", text, re.MULTILINE)


def test_what_is_read_from_the_sources_is_what_is_shown() -> None:
    texts = catalogues.texts()
    expected = {
        "Skip to the content",  # of a template
        "This is too large",  # of a title in Python
        "There is no such partner",  # of a repository's noun
        "A partner of this name is registered in this country already",  # of a refusal
        "At most {max_length} characters",  # of the framework's faults in our words
        "A date needs a day, a month and a year",  # of a fault of our own
        ("There is a problem", "There are %(num)s problems"),  # of a counted one
    }
    assert expected <= texts


@pytest.mark.parametrize("name", OURS)
def test_a_template_shows_no_text_of_its_own(name: str) -> None:
    assert list(spoken(ROOT / name)) == [], "Put it into _(), so that it can be translated"


def spoken(path: Path) -> Iterator[str]:
    """Visible words outside of expressions."""
    source = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    source = re.sub(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL)
    reader = _Words()
    reader.feed(source)
    yield from reader.found


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        self.found += [
            value or "" for name, value in attrs if name in SPOKEN_ATTRIBUTES and _speaks(value or "")
        ]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and _speaks(ATTRIBUTE.sub("", data)):
            self.found.append(data.strip())


def _speaks(text: str) -> bool:
    return any(word not in UNSPOKEN for word in LETTERS.findall(text))


def test_the_look_at_templates_sees_what_is_shown(tmp_path: Path) -> None:
    tried = tmp_path / "tried.html"
    tried.write_text(
        '{# a comment #}<p title="Shown">{{ _("not shown") }} {% if x %}Shown too{% endif %}</p>'
        "<input placeholder=\"{{ _('x') }}\"><code>curl</code>{% trans %}Not this{% endtrans %}Concord"
    )
    assert list(spoken(tried)) == ["Shown", "Shown too"]
