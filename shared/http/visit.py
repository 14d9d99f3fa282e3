"""One request on its way through the kit: what is learnt of it, for the command, the answer and the log."""

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.types import Scope

from shared.http.limits import Incoming
from shared.http.tokens import Claims
from shared.storage.repository import Unit

_KEY = "concord.visit"
UNMATCHED = "unmatched"


@dataclass(kw_only=True)
class Visit:
    correlation_id: str
    # The business's time at which the request's headers were here; what it asks for is decided as of then.
    received_at: datetime
    method: str
    incoming: Incoming
    traceparent: str | None = None
    route: str = UNMATCHED
    actor_id: str = ""
    # False: anybody may have the answer, so it may be kept on its way.
    private: bool = True
    # True: it went well and is of no interest to anybody who reads the log.
    quiet: bool = False
    claims: Claims | None = None
    # Of the try under way: a conflict makes another.
    unit: Unit | None = None
    version: int | None = None
    # What was answered.
    status: int = 0
    code: str | None = None
    started: float = field(default_factory=time.perf_counter)

    @property
    def duration_ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 1)


# For an endpoint's wrapper, which is given the endpoint's arguments and not the request.
current: ContextVar[Visit] = ContextVar("concord_visit")


def enter(scope: Scope, visit: Visit) -> None:
    scope[_KEY] = visit


def visit_of(request: Request) -> Visit:
    visit = request.scope[_KEY]
    assert isinstance(visit, Visit)
    return visit
