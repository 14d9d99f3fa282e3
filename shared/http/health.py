"""How a service says how it is: alive, ready, started.

Alive: not worth restarting. Ready: requests may be sent here. Started: it has been ready once, so a probe may
begin to count. What is missing is said in words, for whoever has been woken up.
"""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic_core import to_json
from starlette.responses import Response

# Says what is missing, or None where nothing is. It must answer at once: it reads what is known and asks
# nobody.
Check = Callable[[], str | None]

OK = "ok"


@dataclass(frozen=True)
class Part:
    part: str
    ok: bool
    detail: str


class Health:
    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._vital: set[str] = set()
        self._started = self._stopping = False

    def register(self, name: str, check: Check, *, vital: bool = False) -> None:
        """`vital`: what only a restart mends, so that its lack ends the process's life."""
        assert name not in self._checks, f"{name} is registered already"
        self._checks[name] = check
        if vital:
            self._vital.add(name)

    def started(self) -> None:
        """To be said once, when everything has been started."""
        self._started = True

    @property
    def is_started(self) -> bool:
        return self._started

    def stopping(self) -> None:
        """To be said before anything is stopped, so that no more requests are sent here."""
        self._stopping = True

    def parts(self) -> list[Part]:
        return [
            _part("start", None if self._started else "still starting"),
            _part("stop", "stopping" if self._stopping else None),
            *(_part(name, check()) for name, check in self._checks.items()),
        ]

    def what_is_missing(self) -> str | None:
        """In one line, for whoever looks at several services at once."""
        return _in_one_line(self.parts())

    def what_is_fatal(self) -> str | None:
        """The same, of what only a restart mends."""
        return _in_one_line([part for part in self.parts() if part.part in self._vital])

    def live(self) -> Response:
        return _answer([part for part in self.parts() if part.part in self._vital])

    def ready(self) -> Response:
        return _answer(self.parts())

    def startup(self) -> Response:
        return _answer([part for part in self.parts() if part.part == "start"])


def _in_one_line(parts: list[Part]) -> str | None:
    return "; ".join(f"{part.part}: {part.detail}" for part in parts if not part.ok) or None


def _part(name: str, missing: str | None) -> Part:
    return Part(name, missing is None, missing or OK)


def _answer(parts: list[Part]) -> Response:
    status = 200 if all(part.ok for part in parts) else 503
    body = to_json([{"part": part.part, "ok": part.ok, "detail": part.detail} for part in parts])
    return Response(
        body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )
