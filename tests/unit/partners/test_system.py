"""External systems and their keys."""

import pytest

from services.partners.people.domain.system import KEYS_EVER_MAX, System
from services.partners.people.queries import system_grants
from shared.contracts.partners.system import KeyIssued, KeyRevoked, SystemRegistered
from shared.contracts.vocabulary import Grant
from shared.errors import NotFound, Refusal
from tests.unit.partners.builders import PARTNER, SOMEBODY, after, given, scope, system


def with_keys(*ids: str) -> System:
    found = system()
    for id in ids:
        found = after(found, found.issue(id, f"sha of {id}"))
    return found


def test_a_system_may_what_systems_may_within_its_scope() -> None:
    narrowed = given(
        System,
        System.register("sys_1", label="Portal", owner_id=SOMEBODY, scope=scope(partner=PARTNER)),
    )
    assert system_grants(narrowed) == (Grant("external_system", (("partner", PARTNER),)),)
    assert system_grants(system()) == (Grant("external_system"),)


def test_a_key_is_issued_as_its_hash() -> None:
    assert system().issue("key_1", "sha of key_1") == [
        KeyIssued(system_id="sys_1", key_id="key_1", sha256="sha of key_1")
    ]


def test_two_keys_live_at_once_so_that_one_can_replace_the_other() -> None:
    both = with_keys("key_1", "key_2")
    with pytest.raises(Refusal) as refusal:
        both.issue("key_3", "sha")
    assert refusal.value.code == "too_many_keys"
    freed = after(both, both.revoke("key_1", "Rotated"))
    assert [key.id for key in freed.live_keys] == ["key_2"]
    assert freed.issue("key_3", "sha")


def test_a_key_is_revoked_once_and_must_be_there() -> None:
    one = with_keys("key_1")
    events = one.revoke("key_1", "Rotated")
    assert events == [KeyRevoked(system_id="sys_1", key_id="key_1", reason="Rotated")]
    assert after(one, events).revoke("key_1", "Rotated") == []
    with pytest.raises(NotFound) as refusal:
        one.revoke("key_2", "Rotated")
    assert refusal.value.code == "key_not_found"


def test_a_system_that_used_up_two_hundred_keys_is_registered_anew() -> None:
    found = system()
    for number in range(KEYS_EVER_MAX):
        found = after(found, found.issue(f"key_{number}", "sha"))
        found = after(found, found.revoke(f"key_{number}", "Rotated"))
    with pytest.raises(Refusal) as refusal:
        found.issue("key_x", "sha")
    assert refusal.value.code == "too_many_keys_ever"


def test_a_system_does_not_swallow_an_event_it_does_not_know() -> None:
    with pytest.raises(AssertionError):
        System.begin(KeyRevoked(**KeyRevoked.example))
    with pytest.raises(AssertionError):
        system().apply(SystemRegistered(**SystemRegistered.example))
