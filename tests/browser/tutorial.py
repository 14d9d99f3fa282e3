"""Reads docs/tutorial.md: its steps, what each names, what is typed, and what is then read."""

import re
from dataclasses import dataclass

from tests.structure.source import ROOT

TUTORIAL = ROOT / "docs" / "tutorial.md"
LAST = "Where to go from here"
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_QUOTE = re.compile(r"^> (.+)$", re.MULTILINE)
_ITEM = re.compile(r"^- .*(?:\n  .*)*", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Step:
    """`named`: what is clicked or filled, in order; `typed`: what with; `read`: what the page then says."""

    title: str
    named: tuple[str, ...]
    typed: tuple[str, ...]
    read: tuple[str, ...]

    @property
    def function(self) -> str:
        return re.sub(r"\W+", "_", self.title.lower())


def steps() -> list[Step]:
    sections = TUTORIAL.read_text().split("\n## ")[1:]
    return [step for step in map(_step, sections) if step.title != LAST]


def _step(section: str) -> Step:
    title, _, text = section.partition("\n")
    done = "\n".join(_ITEM.findall(text))
    return Step(
        title=title.strip(),
        named=tuple(" ".join(name.split()) for name in _BOLD.findall(done)),
        typed=tuple(_CODE.findall(done)),
        read=tuple(_QUOTE.findall(text)),
    )
