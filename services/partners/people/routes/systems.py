"""External systems and their keys."""

from typing import Any

from pydantic import Field

from services.partners.people import handlers
from services.partners.people.commands import IssueKey, Label, RegisterSystem, RevokeKey
from services.partners.people.documents import systems
from services.partners.people.domain.scopes import SCOPES_MAX
from services.partners.people.domain.system import System
from services.partners.people.routes.people import PersonReasonIn, ScopeIn
from shared.contracts.partners.person import Scope
from shared.http.api_keys import new_api_key
from shared.http.app import Answer, Body, Routes, Work
from shared.http.paging import Page, Paging, page_of
from shared.storage.repository import Unit

routes = Routes("partners", room="people")


class SystemIn(Body):
    """`scope` narrows what the system may see; none of it means everything a system may."""

    label: Label
    owner_id: str = Field(max_length=64)
    scope: list[ScopeIn] = Field(max_length=SCOPES_MAX)


class KeyOut(Answer):
    id: str
    live: bool


class SystemOut(Answer):
    id: str
    version: int
    label: str
    owner_id: str
    scope: list[Scope]
    keys: list[KeyOut]


class NewKeyOut(Answer):
    """`key` is shown this once. What we keep of it is its SHA-256."""

    system_id: str
    key_id: str
    key: str


@routes.post("/systems", status=201, may="system:register")
async def register_system(body: SystemIn, work: Work) -> SystemOut:
    scope = tuple(Scope(kind=part.kind, value=part.value) for part in body.scope)
    command = RegisterSystem(label=body.label, owner_id=body.owner_id, scope=scope)
    return _of_unit(await handlers.register_system(command, work), work)


@routes.get("/systems", may="system:read")
async def list_systems(paging: Paging, work: Work) -> Page[SystemOut]:
    return await page_of(work.mongo[systems.collection], {}, paging=paging, make=_of_document)


@routes.get("/systems/{id}", may="system:read")
async def read_system(id: str, work: Work) -> SystemOut:
    return _of_unit(await systems.load(work, id), work)


@routes.post("/systems/{id}/keys", status=201, may="key:issue")
async def issue_key(id: str, work: Work) -> NewKeyOut:
    key = new_api_key()
    await handlers.issue_key(IssueKey(system_id=id, key_id=key.key_id, sha256=key.sha256), work)
    return NewKeyOut(system_id=id, key_id=key.key_id, key=key.text)


@routes.post("/systems/{id}/keys/{key_id}/revocations", status=201, may="key:revoke")
async def revoke_key(id: str, key_id: str, body: PersonReasonIn, work: Work) -> SystemOut:
    command = RevokeKey(system_id=id, key_id=key_id, reason=body.reason)
    return _of_unit(await handlers.revoke_key(command, work), work)


def _of_document(document: dict[str, Any]) -> SystemOut:
    return _system_out(systems.restore(document), document["version"])


def _of_unit(system: System, unit: Unit) -> SystemOut:
    version = unit.version_of(system.id)
    assert version is not None, "the unit has loaded or made the system it speaks of"
    return _system_out(system, version)


def _system_out(system: System, version: int) -> SystemOut:
    return SystemOut(
        id=system.id,
        version=version,
        label=system.label,
        owner_id=system.owner_id,
        scope=list(system.scope),
        keys=[KeyOut(id=key.id, live=key.live) for key in system.keys],
    )
