"""A page of its own for an act that should be thought about: it says in plain words what will happen, asks
why where that is kept, and has one button that does it and one way back.
"""

from dataclasses import dataclass

from starlette.responses import Response

from shared.web.ask import Ask


@dataclass(frozen=True, kw_only=True)
class Act:
    """`points` say what will happen. `reason`: what the field is called in which the reader says why; empty
    where nothing is asked. `version`: of what is changed.
    """

    title: str
    points: tuple[str, ...]
    button: str
    back: str
    back_name: str
    lead: str = ""
    reason: str = ""
    reason_hint: str = ""
    version: int | None = None
    # It takes something away.
    is_grave: bool = False


def act_page(ask: Ask, act: Act) -> Response:
    return ask.page("act.html", act=act)
