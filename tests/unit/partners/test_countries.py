"""The table of countries says what the United Nations says."""

from collections import Counter

import pytest

from shared.contracts.countries import COUNTRIES, Standing, by_code


def test_there_are_193_member_states_two_observers_and_249_entries() -> None:
    standings = Counter(country.standing for country in COUNTRIES.values())
    assert standings[Standing.MEMBER] == 193
    assert standings[Standing.OBSERVER] == 2
    assert len(COUNTRIES) == 249


def test_the_observers_are_the_holy_see_and_the_state_of_palestine() -> None:
    observers = {code for code, country in COUNTRIES.items() if country.standing is Standing.OBSERVER}
    assert observers == {"VAT", "PSE"}


@pytest.mark.parametrize("field", ["alpha2", "alpha3", "m49", "name"])
def test_no_two_countries_share_a_code_or_a_name(field: str) -> None:
    assert len({getattr(country, field) for country in COUNTRIES.values()}) == len(COUNTRIES)


def test_codes_have_their_shape_and_the_table_is_in_order() -> None:
    for country in COUNTRIES.values():
        assert (len(country.alpha2), len(country.alpha3), len(country.m49)) == (2, 3, 3)
        assert country.alpha2.isupper() and country.alpha3.isupper() and country.m49.isdigit()
        assert country.name == country.name.strip()
    assert [c.alpha2 for c in COUNTRIES.values()] == sorted(c.alpha2 for c in COUNTRIES.values())


@pytest.mark.parametrize(("code", "name"), [("KEN", "Kenya"), ("KE", "Kenya"), ("TUR", "Türkiye")])
def test_a_country_is_found_by_either_code(code: str, name: str) -> None:
    country = by_code(code)
    assert country is not None
    assert country.name == name


@pytest.mark.parametrize("code", ["", "K", "ken", "UK", "EUR", "KENY", "404"])
def test_what_is_no_code_of_iso_3166_finds_nothing(code: str) -> None:
    assert by_code(code) is None
