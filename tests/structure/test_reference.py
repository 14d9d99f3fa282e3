"""The published language is whole, and the reference says what the code does."""

import re

import pytest

from shared.contracts import catalogue
from shared.contracts.envelope import Envelope, Event, Provenance, open_envelope, seal
from shared.contracts.vocabulary import PERMISSIONS, TOPICS, Visibility
from tests.structure import reference
from tests.structure.source import modules
from tests.support.writing import NOON

TYPE = re.compile(r"^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\.v[1-9][0-9]*$")


@pytest.mark.parametrize("name", sorted(reference.PAGES))
def test_the_reference_is_what_the_code_says(name: str) -> None:
    written = reference.FOLDER / name
    assert written.exists() and written.read_text() == reference.page(name), (
        "Write it anew: python -m tests.structure.reference"
    )


@pytest.mark.parametrize("type", sorted(catalogue.EVENTS))
def test_every_event_has_a_name_a_schema_a_visibility_and_a_good_example(type: str) -> None:
    kind = catalogue.EVENTS[type]
    assert TYPE.match(type), "<noun>.<past participle>.v<n>"
    assert isinstance(kind.visibility, Visibility)
    assert catalogue.json_schema(kind)["type"] == "object"
    event = kind.model_validate(kind.example)
    assert set(kind.example) <= set(kind.model_fields), "the example names a field the event does not have"
    assert opened(event).type == type


def opened(event: Event) -> Envelope:
    provenance = Provenance(actor="system:test", time=NOON, recorded_at=NOON, correlation_id="c")
    return open_envelope(
        seal(event, id="e", source="/concord/partners", subject="ptn_x", version=1, provenance=provenance)
    )


def test_every_event_of_the_contracts_is_in_the_catalogue() -> None:
    def leaves(kind: type[Event]) -> set[type[Event]]:
        below = kind.__subclasses__()
        return {kind} if not below else set().union(*(leaves(child) for child in below))

    ours = {kind for kind in leaves(Event) if kind.__module__.startswith("shared.contracts")}
    assert ours == set(catalogue.EVENTS.values()), "Add it to its noun's EVENTS, and the noun to catalogue.py"


def test_what_is_not_public_names_its_audience_or_stays_with_the_secretariat() -> None:
    silent = {Visibility.PUBLIC, Visibility.SECRETARIAT, Visibility.SEALED}
    found = [
        type
        for type, kind in catalogue.EVENTS.items()
        if kind.visibility not in silent and not kind.model_validate(kind.example).audience()
    ]
    assert found == [], "Say in audience() who may learn of it"


def test_every_topic_has_a_reader() -> None:
    texts = "\n".join(module.text for module in modules("services", "shared"))
    for topic in TOPICS:
        assert re.search(rf'topic="{re.escape(topic)}"|TOPICS', texts), f"nobody hears {topic}"


def test_every_permission_is_asked_for_by_some_route() -> None:
    texts = "\n".join(
        module.text for module in modules("services", "shared") if "/contracts/" not in module.path
    )
    granted = set().union(*PERMISSIONS.values())
    unused = sorted(name for name in granted if f'"{name}"' not in texts)
    assert unused == [], (
        "A permission nothing asks for is a promise nothing keeps: delete it, or name it on a route"
    )


def test_every_setting_says_what_it_is() -> None:
    found = [
        f"{kind.__name__}.{name}"
        for kind in reference.settings_classes()
        for name, field in kind.model_fields.items()
        if not (field.description or "").endswith(".")
    ]
    assert found == [], "One sentence, with the unit"
