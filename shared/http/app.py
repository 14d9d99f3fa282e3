"""The HTTP kit: what a room's routes.py needs, and how the rooms of a service become one application.

    routes = Routes("partners", room="register")

    @routes.post("/partners", status=201, may="partner:register")
    async def register_partner(body: PartnerIn, work: Work) -> PartnerOut: ...

A route names whom it takes (`may`), or its module does not import. Everything else that holds for all routes
is done around the endpoint (route.py) or around the application (edge.py). `Work` is the unit of the request:
the endpoint loads, decides and saves in it, and the kit commits it together with the answer.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, TypeVar, cast

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.datastructures import Default
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.http import openapi
from shared.http.auth import INTERNAL, PUBLIC, SIGNED_IN, Authenticator, May, require_known
from shared.http.bodies import Answer, Body, Lines
from shared.http.edge import Edge
from shared.http.health import Health
from shared.http.idempotency import InFlight
from shared.http.problems import problem, refusal_of
from shared.http.route import ConcordRoute, Rule
from shared.http.running import Kit
from shared.http.tokens import Claims
from shared.http.visit import visit_of
from shared.service import Room, Runtime
from shared.settings import Settings
from shared.storage.repository import Unit
from shared.telemetry import Metrics
from shared.web.pages import nothing_here
from shared.web.site import site_of
from shared.web.static_files import static_files

__all__ = [
    "INTERNAL",
    "PUBLIC",
    "SIGNED_IN",
    "Answer",
    "Body",
    "Lines",
    "Routes",
    "SignedIn",
    "Work",
    "http_app",
]

E = TypeVar("E", bound=Callable[..., Any])


async def _unit(request: Request) -> Unit:
    unit = visit_of(request).unit
    assert unit is not None, "a route of the kit has a unit"
    return unit


async def _claims(request: Request) -> Claims:
    claims = visit_of(request).claims
    assert claims is not None, "only a route for people who are signed in (may=SIGNED_IN) asks for this"
    return claims


# The unit of the request: who asks and when is in `work.context`.
Work = Annotated[Unit, Depends(_unit)]
# What the caller's token says, where a route takes whoever is signed in.
SignedIn = Annotated[Claims, Depends(_claims)]


class Routes:
    """The routes of one room. Each method names whom it takes; there is no other way to add one."""

    def __init__(self, service: str, *, room: str, prefix: str | None = None) -> None:
        self.router = APIRouter(prefix=f"/{service}/v1" if prefix is None else prefix, tags=[room])

    @property
    def routes(self) -> list[BaseRoute]:
        return self.router.routes

    def get(
        self,
        path: str,
        *,
        may: May,
        status: int = 200,
        response_class: type[Response] | None = None,
        shows: Mapping[str, Any] | None = None,
    ) -> Callable[[E], E]:
        """`shows`: an example by media type, where the endpoint makes the answer's bytes itself."""
        return self._add("GET", path, may, status, response_class=response_class, shows=shows)

    def post(
        self,
        path: str,
        *,
        may: May,
        status: int = 200,
        idempotency: bool = True,
        response_class: type[Response] | None = None,
    ) -> Callable[[E], E]:
        """`idempotency=False`: for callers that cannot send a key, where doing it twice is doing it once."""
        return self._add("POST", path, may, status, idempotency=idempotency, response_class=response_class)

    def put(self, path: str, *, may: May, status: int = 200) -> Callable[[E], E]:
        return self._add("PUT", path, may, status)

    def patch(self, path: str, *, may: May, status: int = 200) -> Callable[[E], E]:
        return self._add("PATCH", path, may, status)

    def delete(self, path: str, *, may: May, status: int = 204) -> Callable[[E], E]:
        return self._add("DELETE", path, may, status)

    def _add(
        self,
        method: str,
        path: str,
        may: May,
        status: int,
        *,
        idempotency: bool = False,
        response_class: type[Response] | None = None,
        shows: Mapping[str, Any] | None = None,
    ) -> Callable[[E], E]:
        require_known(may)
        rule = Rule(method=method, may=may, idempotency=idempotency)

        def add(endpoint: E) -> E:
            self.router.add_api_route(
                path,
                endpoint,
                methods=[method],
                status_code=status,
                response_class=response_class or Default(JSONResponse),
                responses=openapi.answers(status, shows),
                openapi_extra=openapi.of_operation(may, method=method, idempotent=idempotency),
                route_class_override=cast(type[APIRoute], partial(ConcordRoute, rule=rule)),
            )
            return endpoint

        return add


def http_app(
    runtime: Runtime,
    rooms: Sequence[Room],
    settings: Settings,
    authenticator: Authenticator,
    health: Health,
    metrics: Metrics,
) -> FastAPI:
    """The application of one service. Starting and stopping what it uses is its caller's."""
    service = runtime.name
    probes = _probes(service, health, metrics)
    static = static_files(settings.web_folder)
    app = FastAPI(
        title=f"Concord: {service}",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=[
            *probes,
            *static.routes(),
            *(route for room in rooms for routes in room.routes for route in routes.routes),
        ],
        exception_handlers={HTTPException: _tell, RequestValidationError: _tell},
        middleware=[
            Middleware(
                Edge,
                clock=runtime.clock,
                metrics=metrics,
                quiet=frozenset(probe.path for probe in probes),
            )
        ],
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    openapi.describe(app, openapi.address_of(service))
    app.state.issuer = settings.oidc_issuer
    app.state.site = site_of(service, settings, runtime.clock, static)
    app.state.kit = Kit(
        runtime=runtime,
        authenticator=authenticator,
        in_flight=InFlight(),
        body_bytes_max=settings.http_body_bytes_max,
        request_s_max=settings.http_request_s_max,
    )
    return app


async def _tell(request: Request, error: Exception) -> Response:
    """What the framework refuses by itself: an address or a method that is not there, a field that does not
    fit.
    """
    visit = visit_of(request)
    if isinstance(error, HTTPException) and error.status_code == 405:
        error.headers = {"Allow": ", ".join(_methods_at(request))}
    refusal = refusal_of(error)
    if _is_a_browser(request):
        return await nothing_here(request, refusal)
    visit.code = refusal.code
    return problem(refusal, visit.correlation_id)


def _is_a_browser(request: Request) -> bool:
    """Somebody reads the answer, and asks for no part of the API."""
    return "text/html" in request.headers.get("accept", "") and "v1" not in request.url.path.split("/")


def _methods_at(request: Request) -> list[str]:
    path = request.url.path
    found = (
        route for route in request.app.routes if isinstance(route, Route) and route.path_regex.match(path)
    )
    return sorted({method for route in found for method in route.methods or ()})


def _probes(service: str, health: Health, metrics: Metrics) -> list[Route]:
    """For machines that look whether we are well. They say nothing of anybody, so they ask for no one."""

    async def live(request: Request) -> Response:
        return health.live()

    async def ready(request: Request) -> Response:
        return health.ready()

    async def startup(request: Request) -> Response:
        return health.startup()

    async def figures(request: Request) -> Response:
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    answers = {"livez": live, "readyz": ready, "startupz": startup, "metrics": figures}
    return [Route(f"/{service}/{name}", answer, include_in_schema=False) for name, answer in answers.items()]
