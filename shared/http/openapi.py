"""What the description of the API says: of every operation alike how to say who one is, which headers it
takes and what a refusal looks like; and of each an example of its body and of its answer, and the refusals it
can give.

Examples are made from the schemas (examples.py) and refusals are read from the code (refusals.py), when the
description is first asked for; so a room says nothing twice.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.http import common_refusals
from shared.http.auth import INTERNAL, PUBLIC, READING, SIGNED_IN, Access, May
from shared.http.examples import example_of
from shared.http.problems import MEDIA_TYPE
from shared.http.refusals import Said, forget, refusals_of
from shared.http.route import ConcordRoute
from shared.http.visit import visit_of

_EXAMPLE_INSTANCE = "01938a3c-0000-7000-8000-000000000000"
EXAMPLE_KEY = "5e2d1b60-3f0a-4c7e-9a41-8c1f7d2b6e93"

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). `code` is stable; docs/reference/errors.md lists them.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/partner_not_found"]},
        "title": {"type": "string", "examples": ["Partner not found"]},
        "status": {"type": "integer", "examples": [404]},
        "detail": {"type": "string", "examples": ["There is no such partner"]},
        "code": {"type": "string", "examples": ["partner_not_found"]},
        "instance": {"type": "string", "description": "The correlation id; name it when you ask us."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"description": "A problem", "content": {MEDIA_TYPE: {"schema": _PROBLEM_REF}}}
}
SECURITY: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`ApiKey ck_…`",
    },
    "house": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Internal …`: the services of this house among themselves",
    },
}
_SCHEMES = {PUBLIC: [], SIGNED_IN: ["token"], INTERNAL: ["house"]}


def address_of(service: str) -> str:
    return f"/{service}/v1/openapi.json"


def of_operation(may: May, *, method: str, idempotent: bool) -> dict[str, Any]:
    """What is added to one operation."""
    headers = []
    if idempotent:
        says = "New for each thing you want done; the same when you repeat it."
        headers.append({**_header("Idempotency-Key", says, True), "example": EXAMPLE_KEY})
    if method != "GET":
        headers.append(_header("If-Match", "The ETag of what you read; refused where it has passed.", False))
    schemes = _SCHEMES[may] if isinstance(may, Access) else ["token", "key"]
    return {
        "x-permission": may.value if isinstance(may, Access) else may,
        "security": [{scheme: []} for scheme in schemes],
        "parameters": headers,
    }


def answers(status: int, shows: Mapping[str, Any] | None) -> dict[int | str, dict[str, Any]]:
    """What an operation answers besides what the framework finds by itself."""
    if shows is None:
        return RESPONSES
    content = {media: {"example": example} for media, example in shows.items()}
    return {**RESPONSES, status: {"description": "As it comes", "content": content}}


def describe(app: FastAPI, address: str) -> None:
    """Adds what all operations refer to, and to each its examples and refusals. It is made when it is first
    asked for at its address, beside the requests of that moment.
    """
    plain, making = app.openapi, Lock()

    def described() -> dict[str, Any]:
        # The framework keeps what it makes before it is complete; nobody may see it until it is.
        with making:
            if app.openapi_schema is not None:
                return app.openapi_schema
            return _completed(plain(), [route for route in app.routes if isinstance(route, ConcordRoute)])

    async def tell(request: Request) -> Response:
        visit_of(request).route, visit_of(request).private = address, False
        return JSONResponse(await asyncio.to_thread(app.openapi))

    app.openapi = described  # type: ignore[method-assign]
    app.router.routes.append(Route(address, tell, include_in_schema=False))


def _completed(document: dict[str, Any], routes: Iterable[ConcordRoute]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = SECURITY
    told: dict[str, Said] = {}
    for route in routes:
        operation = document["paths"][route.path_format][route.rule.method.lower()]
        own, common = refusals_of_route(route)
        _show(operation, schemas)
        operation["summary"] = route.name.replace("_", " ").capitalize()
        operation["responses"].update(_refused(own, common))
        told |= {said.code: said for said in (*own, *common)}
    forget()
    components["examples"] = {code: _example(said) for code, said in sorted(told.items())}
    return document


def _show(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """An example of what is sent and of each answer."""
    answers = [answer for status, answer in operation["responses"].items() if status != "default"]
    for part in (operation.get("requestBody", {}), *answers):
        for content in part.get("content", {}).values():
            if content.get("schema") and "example" not in content:
                content["example"] = example_of(content["schema"], schemas)


def refusals_of_route(route: ConcordRoute) -> tuple[list[Said], tuple[Said, ...]]:
    """Its own, and what the kit refuses around it."""
    common = common_refusals.of(route.rule)
    roots = [route.endpoint, *(one.call for one in route.dependant.dependencies if one.call is not None)]
    not_own = {said.code for said in common}
    if route.rule.method in READING:
        not_own |= common_refusals.ONLY_OF_COMMANDS
    return [said for said in refusals_of(roots) if said.code not in not_own], common


def _refused(own: Sequence[Said], common: Sequence[Said]) -> dict[str, Any]:
    """By status, its own first, with what they say."""
    statuses = sorted({said.status for said in (*own, *common)})
    return {
        str(status): _response(
            [said for said in own if said.status == status],
            [said for said in common if said.status == status],
        )
        for status in statuses
    }


def _response(own: Sequence[Said], common: Sequence[Said]) -> dict[str, Any]:
    lines = [f"`{said.code}`: {said.sentence}" for said in own]
    if common:
        lines.append("As everywhere: " + ", ".join(f"`{said.code}`" for said in common))
    examples = {said.code: {"$ref": f"#/components/examples/{said.code}"} for said in (*own, *common)}
    return {
        "description": "\n\n".join(lines),
        "content": {MEDIA_TYPE: {"schema": _PROBLEM_REF, "examples": examples}},
    }


def _example(said: Said) -> dict[str, Any]:
    problem = {
        "type": f"/problems/{said.code}",
        "title": said.code.replace("_", " ").capitalize(),
        "status": said.status,
        "detail": said.sentence,
        "code": said.code,
        "instance": _EXAMPLE_INSTANCE,
    }
    return {"summary": said.sentence, "value": problem}


def _header(name: str, description: str, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 200}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}
