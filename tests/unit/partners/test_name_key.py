"""When two legal names are one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.partners.register.domain.name_key import name_key

ONE_NAME = [
    ("Slum-Dwellers Federation", "SLUM DWELLERS  FEDERATION"),
    ("Women's Network", "Womens Network"),
    ("Women’s Network", "Women's Network"),
    ("U.N. Habitat", "UN-Habitat"),
    ("Fédération des habitants", "federation des habitants"),
    ("Fe\u0301de\u0301ration", "F\u00e9d\u00e9ration"),
    ("Straßenkinder", "Strassenkinder"),
    ("İstanbul", "istanbul"),
    ("ＵＮ　Ｈａｂｉｔａｔ", "UN Habitat"),
    ("محمّد", "محمد"),
    ("Slum\u200bDwellers", "SlumDwellers"),
    ("Slum\u00a0Dwellers", "Slum Dwellers"),
    ("Habitat (Kenya) Ltd.", "Habitat Kenya Ltd"),
    ("City/County Council", "City County Council"),
]
TWO_NAMES = [
    ("Kisumu", "Kisumo"),
    ("Habitat 1", "Habitat 2"),
    ("कि", "का"),
    ("がんば", "かんは"),
    ("ที่", "ทา"),
    ("SlumDwellers", "Slum Dwellers"),
    ("Caritas", "Саritas"),
]


@pytest.mark.parametrize(("one", "other"), ONE_NAME)
def test_case_accents_punctuation_and_spacing_do_not_make_another_name(one: str, other: str) -> None:
    assert name_key(one) == name_key(other) != ""


@pytest.mark.parametrize(("one", "other"), TWO_NAMES)
def test_other_letters_digits_or_vowel_signs_do(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@given(st.text(max_size=60))
def test_a_key_is_its_own_key_and_has_nothing_unseen_in_it(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert key == " ".join(key.split())
    assert not any(unicodedata.category(c)[0] in "CPS" for c in key)


@given(st.text(max_size=60))
def test_writing_a_name_in_capitals_or_decomposed_gives_the_same_key(name: str) -> None:
    assert name_key(unicodedata.normalize("NFD", name)) == name_key(name)
    assert name_key(name.casefold()) == name_key(name)
