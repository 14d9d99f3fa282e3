"""A partner is registered, suspended, reinstated, and its contact person erased."""

from collections.abc import Callable

import pytest

from services.partners.register.domain.partner import Partner, PartnerStatus
from shared.contracts.envelope import Event
from shared.contracts.partners.partner import (
    PartnerContactErased,
    PartnerRegistered,
    PartnerReinstated,
    PartnerSuspended,
)
from shared.contracts.vocabulary import PartnerKind
from shared.errors import Refusal
from tests.unit.partners.builders import PARTNER, SOMEBODY, after, partner

REASON = "Accounts late"
Decide = Callable[[Partner, str], list[Event]]


def test_a_registered_partner_is_active_and_has_a_contact_person() -> None:
    registered = partner()
    assert registered.status is PartnerStatus.ACTIVE
    assert registered.contact_id == SOMEBODY
    assert registered.name_key == "slum dwellers federation of kisumu"


@pytest.mark.parametrize("name", ["Ab", "x" * 300, "  Ab  "])
def test_a_legal_name_has_two_to_three_hundred_characters(name: str) -> None:
    assert partner(legal_name=name).legal_name == name.strip()


@pytest.mark.parametrize("name", ["", "A", " A ", "x" * 301])
def test_a_shorter_or_longer_legal_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        partner(legal_name=name)
    assert (refusal.value.code, refusal.value.status) == ("legal_name_length", 422)


def test_a_name_that_nothing_can_be_compared_by_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        partner(legal_name="!!!")
    assert refusal.value.code == "legal_name_without_letters"


@pytest.mark.parametrize("code", ["KEN", "KE", "ken", " ke "])
def test_a_country_may_be_said_by_either_code_and_is_kept_by_alpha_3(code: str) -> None:
    assert partner(country=code).country == "KEN"


@pytest.mark.parametrize("code", ["", "KX", "KENYA", "404"])
def test_a_country_that_there_is_not_is_refused(code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        partner(country=code)
    assert (refusal.value.code, refusal.value.status) == ("country_unknown", 422)


def test_a_suspended_partner_is_reinstated_and_each_says_why() -> None:
    events = partner().suspend(REASON)
    assert events == [PartnerSuspended(partner_id=PARTNER, reason=REASON)]
    suspended = after(partner(), events)
    assert suspended.status is PartnerStatus.SUSPENDED
    events = suspended.reinstate(REASON)
    assert events == [PartnerReinstated(partner_id=PARTNER, reason=REASON)]
    assert after(suspended, events) == partner()


def test_suspending_or_reinstating_twice_changes_nothing() -> None:
    suspended = after(partner(), partner().suspend(REASON))
    assert suspended.suspend("Accounts still late") == []
    assert partner().reinstate(REASON) == []


@pytest.mark.parametrize("reason", ["x" * 10, "x" * 2_000])
@pytest.mark.parametrize("decide", [Partner.suspend, Partner.erase_contact])
def test_a_reason_of_ten_to_two_thousand_characters_is_a_reason(decide: Decide, reason: str) -> None:
    assert [event.model_dump()["reason"] for event in decide(partner(), reason)] == [reason]


@pytest.mark.parametrize("reason", ["", "x" * 9, "x" * 9 + " ", "x" * 2_001])
@pytest.mark.parametrize("decide", [Partner.suspend, Partner.reinstate, Partner.erase_contact])
def test_anything_shorter_or_longer_is_none(decide: Decide, reason: str) -> None:
    with pytest.raises(Refusal) as refusal:
        decide(partner(), reason)
    assert (refusal.value.code, refusal.value.status) == ("reason_length", 422)


def test_erasing_the_contact_person_leaves_the_partner_and_happens_once() -> None:
    events = partner().erase_contact("At the person's request")
    expected = PartnerContactErased(partner_id=PARTNER, contact_id=SOMEBODY, reason="At the person's request")
    assert events == [expected]
    erased = after(partner(), events)
    assert erased.contact_id is None
    assert erased.erase_contact("At the person's request") == []


def test_a_partner_does_not_swallow_an_event_it_does_not_know() -> None:
    registered = PartnerRegistered(**PartnerRegistered.example)
    with pytest.raises(AssertionError):
        partner().apply(registered)
    with pytest.raises(AssertionError):
        Partner.begin(PartnerSuspended(partner_id=PARTNER, reason=REASON))


def test_every_kind_of_partner_can_be_registered() -> None:
    for kind in PartnerKind:
        events = Partner.register(PARTNER, legal_name="Kisumu", kind=kind, country="KEN", contact_id=SOMEBODY)
        assert [event.model_dump()["kind"] for event in events] == [kind]
