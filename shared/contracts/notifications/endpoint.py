"""A webhook endpoint and who it belongs to. Its address and secret stay in notifications."""

from typing import Any, ClassVar

from shared.contracts.envelope import Event
from shared.contracts.vocabulary import Visibility

_ENDPOINT = "whe_01JD0000000000000000000040"
_SYSTEM = "sys_01JD0000000000000000000005"


class _OfEndpoint(Event):
    visibility = Visibility.SECRETARIAT
    endpoint_id: str
    owner_id: str


class EndpointRegistered(_OfEndpoint):
    type: ClassVar[str] = "endpoint.registered.v1"
    example: ClassVar[dict[str, Any]] = {
        "endpoint_id": _ENDPOINT,
        "owner_id": _SYSTEM,
        "types": ["agreement.*"],
    }
    types: tuple[str, ...]


class EndpointDisabled(_OfEndpoint):
    type: ClassVar[str] = "endpoint.disabled.v1"
    example: ClassVar[dict[str, Any]] = {"endpoint_id": _ENDPOINT, "owner_id": _SYSTEM, "reason": "gone"}
    reason: str


class EndpointEnabled(_OfEndpoint):
    type: ClassVar[str] = "endpoint.enabled.v1"
    example: ClassVar[dict[str, Any]] = {
        "endpoint_id": _ENDPOINT,
        "owner_id": _SYSTEM,
        "reason": "Receiver repaired",
    }
    reason: str


class EndpointSecretRotated(_OfEndpoint):
    type: ClassVar[str] = "endpoint.secret_rotated.v1"
    example: ClassVar[dict[str, Any]] = {"endpoint_id": _ENDPOINT, "owner_id": _SYSTEM, "grace_s": 86400}
    grace_s: int


EVENTS = (EndpointRegistered, EndpointDisabled, EndpointEnabled, EndpointSecretRotated)
