"""External systems and their keys. A key is shown once; events carry its SHA-256."""

from typing import Any, ClassVar

from shared.contracts.envelope import Event
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Visibility

_SYSTEM = "sys_01JD0000000000000000000005"


class _OfSystem(Event):
    visibility = Visibility.SECRETARIAT
    system_id: str


class SystemRegistered(_OfSystem):
    type: ClassVar[str] = "system.registered.v1"
    example: ClassVar[dict[str, Any]] = {
        "system_id": _SYSTEM,
        "label": "Donor portal",
        "owner_id": "prs_01JD0000000000000000000002",
        "scope": [{"kind": "partner", "value": "ptn_01JD0000000000000000000001"}],
    }
    label: str
    owner_id: str
    scope: tuple[Scope, ...] = ()


class KeyIssued(_OfSystem):
    type: ClassVar[str] = "key.issued.v1"
    example: ClassVar[dict[str, Any]] = {
        "system_id": _SYSTEM,
        "key_id": "key_01JD0000000000000000000006",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }
    key_id: str
    sha256: str


class KeyRevoked(_OfSystem):
    type: ClassVar[str] = "key.revoked.v1"
    example: ClassVar[dict[str, Any]] = {
        "system_id": _SYSTEM,
        "key_id": "key_01JD0000000000000000000006",
        "reason": "Rotated",
    }
    key_id: str
    reason: str


EVENTS = (SystemRegistered, KeyIssued, KeyRevoked)
