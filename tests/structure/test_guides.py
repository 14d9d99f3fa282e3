"""The guides name in bold what stands on a screen, and lead to pages that are there."""

import re
from functools import cache

import pytest

from shared.web.catalogues import texts
from tests.structure.source import ROOT

FOR = ("administrator", "auditor", "integrator", "officer", "operator", "partner-user", "signatory")
PAGES = ("README.md", "docs/tutorial.md", *(f"docs/guides/{one}.md" for one in FOR))
# Of the record, said by a program and not on a screen.
_SAID_ELSEWHERE = {"Ready", "Parked", "Version", "Endpoint"}
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@cache
def shown() -> set[str]:
    """Every text that a screen may have."""
    return {said.casefold() for text in texts() for said in ([text] if isinstance(text, str) else text)}


def named(guide: str) -> set[str]:
    text = (ROOT / "docs" / "guides" / f"{guide}.md").read_text()
    return {" ".join(name.split()).casefold() for name in _BOLD.findall(text)}


@pytest.mark.parametrize("guide", FOR)
def test_what_a_guide_names_stands_on_a_screen(guide: str) -> None:
    unknown = named(guide) - shown() - {said.casefold() for said in _SAID_ELSEWHERE}
    assert unknown == set(), f"docs/guides/{guide}.md names what is on no screen"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    path = ROOT / page
    links = _LINK.findall(path.read_text())
    missing = [link for link in links if not (path.parent / link).exists()]
    assert missing == []
