"""docs/reference/starting.md promises what a person sees; each row of it names the test that holds it."""

import re
from pathlib import Path

from deploy.local.places import ROOT
from deploy.local.refusals import Status

WORDS_CHARACTERS_MIN = 12
PAGE = ROOT / "docs" / "reference" / "starting.md"
KILLED = 137


def test_every_fault_on_the_page_is_provoked_by_a_test() -> None:
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for fault, *_, held_by in rows():
        assert f"def {held_by}(" in tests, f"{fault}: there is no test {held_by}"


def test_every_exit_status_is_on_the_page_and_no_other() -> None:
    on_page = {int(status) for _, _, status, _ in rows() if status.isdecimal()}
    assert on_page == {0, KILLED, *Status}


def test_the_words_on_the_page_are_those_on_the_screen() -> None:
    folders = (ROOT / "deploy" / "local", Path(__file__).parent)
    sources = "".join(path.read_text() for folder in folders for path in sorted(folder.glob("*.py")))
    said = re.sub(r'"\s*\n\s*f?"', "", sources)  # Sentences that are written over several lines.
    for fault, seen, _, _ in rows():
        for quoted in (each for each in re.findall(r"`([^`]*)`", seen) if len(each) >= WORDS_CHARACTERS_MIN):
            # What differs from one machine to the next is left out: numbers, names, what the system says.
            words = max(
                re.split(r"…|(?:process )?\d+|'\w+'|CONCORD_\w+|MongoDB|Java", quoted), key=len
            ).strip(" :.;(-")
            assert words in said, f"{fault}: nothing says {words!r}"


def rows() -> list[list[str]]:
    table = PAGE.read_text().split("| fault |")[1].splitlines()[2:]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in table if line.startswith("| ")
    ]
