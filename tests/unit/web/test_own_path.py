"""Where somebody may be sent on to: pages of ours, however the address is spelt."""

import pytest

from services.partners.people.pages import own_path


@pytest.mark.parametrize(
    "wanted",
    [
        "https://elsewhere.example.org/",
        "//elsewhere.example.org/",
        "/\\elsewhere.example.org/",
        "\\\\elsewhere.example.org",
        "/\t/elsewhere.example.org/",
        "/\n/elsewhere.example.org",
        "javascript:alert(1)",
        "partners",
        "",
        "/" + "a" * 2_000,
    ],
)
def test_nobody_is_sent_to_another_site_after_signing_in(wanted: str) -> None:
    assert own_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/", "/partners?name=a%20b&done=c", "/agreements/agr_1#text", "/a//b"])
def test_a_page_of_ours_is_come_back_to(wanted: str) -> None:
    assert own_path(wanted) == wanted
