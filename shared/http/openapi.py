"""What the description of the API says of every operation alike: how to say who one is, which headers it
takes, what a refusal looks like.
"""

from typing import Any

from fastapi import FastAPI

from shared.http.auth import INTERNAL, PUBLIC, SIGNED_IN, Access, May
from shared.http.problems import MEDIA_TYPE

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
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
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


def of_operation(may: May, *, method: str, idempotent: bool) -> dict[str, Any]:
    """What is added to one operation."""
    headers = []
    if idempotent:
        headers.append(
            _header("Idempotency-Key", "New for each thing you want done; the same when you repeat it.", True)
        )
    if method != "GET":
        headers.append(_header("If-Match", "The ETag of what you read; refused where it has passed.", False))
    schemes = _SCHEMES[may] if isinstance(may, Access) else ["token", "key"]
    return {
        "x-permission": may.value if isinstance(may, Access) else may,
        "security": [{scheme: []} for scheme in schemes],
        "parameters": headers,
    }


def describe(app: FastAPI) -> None:
    """Adds what all operations refer to."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        document = plain()
        components = document.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = PROBLEM
        components["securitySchemes"] = SECURITY
        return document

    app.openapi = described  # type: ignore[method-assign]


def _header(name: str, description: str, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": 200}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}
