"""Which scopes a role can have."""

import pytest

from services.partners.people.domain.scopes import SCOPES_MAX, checked, covers, scope_for
from shared.contracts.countries import COUNTRIES
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.errors import Refusal
from tests.unit.partners.builders import PARTNER, scope

OTHER_PARTNER = "ptn_01JD0000000000000000000007"


def test_a_scope_has_one_spelling_whatever_order_it_is_given_in() -> None:
    asked = [*scope(partner=PARTNER), *scope(country="KEN"), *scope(country="KEN")]
    assert checked(asked) == (*scope(country="KEN"), *scope(partner=PARTNER))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("partner", "Kisumu"),
        ("partner", "prs_01JD0000000000000000000001"),
        ("country", "KE"),
        ("country", "QQQ"),
        ("state", "HKG"),
        ("state", "ken"),
        ("unit", ""),
        ("unit", "x" * 61),
        ("unit", "a\nb"),
    ],
)
def test_a_scope_of_something_that_is_not_there_is_refused(kind: str, value: str) -> None:
    with pytest.raises(Refusal) as refusal:
        checked(scope(**{kind: value}))
    assert (refusal.value.code, refusal.value.status) == ("scope_unknown", 422)


@pytest.mark.parametrize(
    ("kind", "value"), [("state", "KEN"), ("state", "VAT"), ("country", "HKG"), ("unit", "x" * 60)]
)
def test_a_member_or_observer_is_a_state_and_any_area_is_a_country(kind: str, value: str) -> None:
    assert checked(scope(**{kind: value})) == scope(**{kind: value})


def test_a_grant_can_be_narrowed_to_every_country_but_not_without_end() -> None:
    countries = [Scope(kind=ScopeKind.COUNTRY, value=code) for code in COUNTRIES]
    units = [Scope(kind=ScopeKind.UNIT, value=f"unit {n}") for n in range(SCOPES_MAX - len(countries) + 1)]
    assert len(checked([*countries, *units[1:]])) == SCOPES_MAX
    with pytest.raises(Refusal) as refusal:
        checked([*countries, *units])
    assert refusal.value.code == "too_many_scopes"


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        (Role.PARTNER_USER, ()),
        (Role.PARTNER_USER, scope(country="KEN")),
        (Role.PARTNER_USER, scope(partner=PARTNER, country="KEN")),
        (Role.PARTNER_USER, (*scope(partner=PARTNER), *scope(partner=OTHER_PARTNER))),
        (Role.MEMBER_STATE_DELEGATE, ()),
        (Role.MEMBER_STATE_DELEGATE, (*scope(state="KEN"), *scope(state="CHL"))),
        (Role.ADMINISTRATOR, scope(country="KEN")),
    ],
)
def test_who_speaks_for_one_is_bound_to_one_and_an_administrator_to_none(
    role: Role, asked: tuple[Scope, ...]
) -> None:
    with pytest.raises(Refusal) as refusal:
        scope_for(role, asked)
    assert (refusal.value.code, refusal.value.status) == ("scope_does_not_fit", 422)


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        (Role.PARTNER_USER, scope(partner=PARTNER)),
        (Role.MEMBER_STATE_DELEGATE, scope(state="KEN")),
        (Role.ADMINISTRATOR, ()),
        (Role.PARTNERSHIP_OFFICER, ()),
        (Role.PARTNERSHIP_OFFICER, scope(country="KEN", unit="Nairobi")),
    ],
)
def test_other_roles_hold_everywhere_or_within_what_is_said(role: Role, asked: tuple[Scope, ...]) -> None:
    assert scope_for(role, asked) == tuple(sorted(asked, key=lambda part: (part.kind, part.value)))


def test_what_holds_everywhere_covers_all_and_nothing_narrower_covers_everywhere() -> None:
    kenya, both = scope(country="KEN"), scope(country="KEN", unit="Nairobi")
    assert covers((), ()) and covers((), kenya) and covers(both, kenya) and covers(kenya, kenya)
    assert not covers(kenya, ()) and not covers(kenya, both)
