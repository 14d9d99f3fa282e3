"""Where a page belongs to, and where the sign-in leads back."""

import pytest

from shared.web.navigation import place_of
from shared.web.site import sign_in_address


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "/"),
        ("/partners", "/partners"),
        ("/partners/ptn_1", "/partners"),
        ("/partners/people/prs_1", "/partners/people"),
        ("/partners/peoples", "/partners"),
        ("/partners/me", ""),
        ("/partners/sign-in/return", ""),
        ("/elsewhere", ""),
    ],
)
def test_a_page_belongs_to_the_place_it_is_under(path: str, place: str) -> None:
    assert place_of(path) == place


def test_the_page_that_was_wanted_is_one_value_of_the_sign_ins_address() -> None:
    assert sign_in_address("/partners?a=b&c=d") == "/partners/sign-in?to=%2Fpartners%3Fa%3Db%26c%3Dd"
