"""Everything that goes wrong, as one kind of answer: an RFC 9457 problem with a stable code.

Whatever is raised becomes a Refusal, and a Refusal becomes a document. What was sent is never repeated in it:
it may be somebody's password, and somebody else may read the answer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from pydantic_core.core_schema import ErrorType
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared.errors import Invalid, Malformed, NotFound, Refusal, Transient, Unauthenticated, Unavailable
from shared.storage.mongo import database_away, is_passing

MEDIA_TYPE = "application/problem+json"
ERRORS_MAX = 50
RETRY_AFTER_S = 1
CHALLENGE = 'Bearer realm="concord", ApiKey realm="concord"'

_RETRIED = frozenset({408, 429, 503})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# The framework's words are not ours to promise: what it calls a fault, and what we do.
_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "too_long": "too_many",
    "too_short": "too_few",
    "enum": "not_one_of",
    "literal_error": "not_one_of",
    "string_pattern_mismatch": "wrong_form",
    "value_error": "wrong_value",
    "assertion_error": "wrong_value",
    "greater_than_equal": "too_small",
    "greater_than": "too_small",
    "less_than_equal": "too_large",
    "less_than": "too_large",
}
_MESSAGES = {
    "required": "This is needed",
    "unknown_field": "There is no such field",
    "too_long": "At most {max_length} characters",
    "too_short": "At least {min_length} characters",
    "too_many": "At most {max_length} of them",
    "too_few": "At least {min_length} of them",
    "not_one_of": "This must be {expected}",
    "too_small": "This is too small",
    "too_large": "This is too large",
    "wrong_type": "This is of another type",
    "wrong_form": "This does not have the form it must have",
    "wrong_value": "This cannot be taken as it is",
}
_FRAMEWORKS_OWN = frozenset(get_args(ErrorType))

log = structlog.get_logger()


class MethodNotAllowed(Refusal):
    status = 405


class InternalError(Refusal):
    """A bug. The caller gets the correlation id and nothing from inside."""

    status = 500


def refusal_of(error: Exception) -> Refusal:
    """What the caller is told of whatever was raised."""
    match error:
        case Refusal():
            return error
        case RequestValidationError():
            return _of_validation(error.errors())
        case HTTPException():
            return _of_framework(error)
        case PyMongoError() if is_passing(error) or error.timeout:
            return database_away(error)
        case Transient():
            return Unavailable(
                "outside_away", "Something we depend on is away; nothing was changed; try again"
            )
    log.error("request_failed", exc_info=error)
    return InternalError("internal_error", "Something went wrong on our side; it has been recorded")


def problem(refusal: Refusal, instance: str, headers: Mapping[str, str] | None = None) -> Response:
    """`instance` is the correlation id, by which we find what happened."""
    document = {
        **refusal.details,
        "type": f"/problems/{refusal.code}",
        "title": refusal.code.replace("_", " ").capitalize(),
        "status": refusal.status,
        "detail": refusal.message,
        "code": refusal.code,
        "instance": instance,
    }
    return Response(
        to_json(document, inf_nan_mode="null", fallback=str),
        status_code=refusal.status,
        media_type=MEDIA_TYPE,
        headers={**_headers(refusal), **(headers or {})},
    )


def _headers(refusal: Refusal) -> dict[str, str]:
    headers = {}
    if isinstance(refusal, Unauthenticated):
        headers["WWW-Authenticate"] = CHALLENGE
    if refusal.status == 408:
        headers["Connection"] = "close"
    if refusal.status in _RETRIED or refusal.code == "idempotency_key_in_flight":
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(refusal, MethodNotAllowed):
        headers["Allow"] = refusal.details["allowed"]
    return headers


def _of_framework(error: HTTPException) -> Refusal:
    if error.status_code == 404:
        return NotFound("route_not_found", "There is nothing at this address")
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        return MethodNotAllowed(
            "method_not_allowed", "This address does not take that method", allowed=allowed
        )
    log.error("framework_refused", status=error.status_code)
    return Malformed("request_malformed", "The request cannot be read")


def _of_validation(errors: Sequence[Any]) -> Refusal:
    return Invalid(
        "request_invalid",
        "Something in the request is not as it must be",
        errors=[_field_error(error) for error in errors[:ERRORS_MAX]],
    )


def _field_error(error: Mapping[str, Any]) -> dict[str, str]:
    """Which field, and what about it. The framework's own text may quote the input, so it is not used; what
    our own rules say of a field is.
    """
    code = code_of(error)
    if code is None:
        return {"field": _path(error["loc"]), "code": str(error["type"]), "message": str(error["msg"])}
    return {"field": _path(error["loc"]), "code": code, "message": message_of(error)}


def code_of(error: Mapping[str, Any]) -> str | None:
    """What we call a fault that the framework found; None where it is one of our own rules."""
    kind = str(error["type"])
    if kind not in _FRAMEWORKS_OWN:
        return None
    return _CODES.get(kind) or ("wrong_form" if "parsing" in kind else "wrong_type")


def message_of(error: Mapping[str, Any], translate: Callable[[str], str] = str) -> str:
    """Of a fault that the framework found."""
    message = translate(_MESSAGES[code_of(error) or "wrong_value"])
    return message.format_map({"expected": translate("another value"), **error.get("ctx", {})})


def _path(place: Sequence[str | int]) -> str:
    """`contact.email`, `items.3`. A name that is none of ours could be anything, so it is shown as `…`."""
    inside = place[1:] or place
    return ".".join(str(step) if isinstance(step, int) or _NAME.fullmatch(step) else "…" for step in inside)
