"""The directory as other services keep it: one document a person or system, folded from the events of
partners.

As long as the projection is level with its topic, or was less than a minute ago, it decides alone. Older (the
broker is away), the partners service is asked over HTTP; when that is away too, `DirectoryStale` says so, and
the authenticator lets people read and refuses their commands.

Documents hold ids, roles, scopes, language and time zone: no name, no address. Of someone erased the id is
left, so that what comes late finds nobody.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.clock import Clock
from shared.context import Actor
from shared.contracts.partners.person import (
    DelegationEnded,
    DelegationGiven,
    PersonAdmitted,
    PersonErased,
    PersonInvited,
    PersonJoined,
    PersonSignedOut,
    RoleGranted,
    RoleWithdrawn,
    Scope,
)
from shared.contracts.partners.system import KeyIssued, KeyRevoked, SystemRegistered
from shared.contracts.vocabulary import Grant, Role
from shared.errors import Transient
from shared.http.api_keys import same_secret
from shared.http.directory import Directory, DirectoryStale, Entry, Loan
from shared.http.directory_remote import RemoteDirectory
from shared.messaging.subscription import Received, Subscription
from shared.service import Room, Runtime
from shared.settings import Settings
from shared.storage.documents import Collection, Index
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit

DIRECTORY = "directory"
FRESH_S = 60.0

_Document = dict[str, Any]


class Freshness:
    """Since when the projection may be behind. `touch` is for whoever sees it level with its topic's end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.as_of: datetime | None = None

    def touch(self) -> None:
        self.as_of = self._clock.real()

    @property
    def is_fresh(self) -> bool:
        return self.as_of is not None and self._clock.real() - self.as_of <= timedelta(seconds=FRESH_S)


class ProjectedDirectory:
    """A Directory that answers from the projection while it can."""

    def __init__(
        self,
        mongo: Mongo,
        clock: Clock,
        freshness: Freshness,
        partners: Directory,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.freshness = freshness
        self._close = close
        self._mongo = mongo
        self._clock = clock
        self._partners = partners

    async def close(self) -> None:
        if self._close is not None:
            await self._close()

    async def by_subject(self, issuer: str, subject: str) -> Actor | None:
        """The issuer has been checked: there is one whose tokens we take."""
        if self.freshness.is_fresh:
            return await self._of_subject(subject)
        try:
            return await self._partners.by_subject(issuer, subject)
        except Transient as away:
            raise _stale(await self._of_subject(subject)) from away

    async def by_key(self, key_id: str, sha256: str) -> Actor | None:
        if self.freshness.is_fresh:
            return await self._of_key(key_id, sha256)
        try:
            return await self._partners.by_key(key_id, sha256)
        except Transient as away:
            raise _stale(await self._of_key(key_id, sha256)) from away

    async def _of_subject(self, subject: str) -> Actor | None:
        return await self._actor(await self._mongo[DIRECTORY].find_one({"subject": subject}))

    async def _of_key(self, key_id: str, sha256: str) -> Actor | None:
        document = await self._mongo[DIRECTORY].find_one({"keys.id": key_id})
        kept = next((key["sha256"] for key in (document or {}).get("keys", ()) if key["id"] == key_id), "")
        return await self._actor(document) if same_secret(kept, sha256) else None

    async def _actor(self, document: _Document | None) -> Actor | None:
        if document is None:
            return None
        entry, now = _entry(document), self._clock.now()
        lenders = {}
        if wanted := entry.lenders_at(now):
            found = self._mongo[DIRECTORY].find({"_id": {"$in": sorted(wanted)}})
            lenders = {lender["_id"]: _entry(lender) async for lender in found}
        return entry.actor_at(now, lenders)


def _stale(known: Actor | None) -> DirectoryStale:
    stale = DirectoryStale(
        "directory_stale", "What you may do cannot be checked now; nothing was changed; try again"
    )
    stale.known = known
    return stale


async def person_admitted(event: PersonAdmitted, received: Received, unit: Unit) -> None:
    _begin(unit, received, subject=event.subject, language=event.language, zone=event.zone)


async def person_invited(event: PersonInvited, received: Received, unit: Unit) -> None:
    """Also anew: who has not joined has no role that could be lost."""
    _begin(unit, received, language=event.language, zone=event.zone)


async def person_joined(event: PersonJoined, received: Received, unit: Unit) -> None:
    _put(unit, received, {**await _known(unit, received), "subject": event.subject})


async def person_erased(event: PersonErased, received: Received, unit: Unit) -> None:
    _begin(unit, received)


async def role_granted(event: RoleGranted, received: Received, unit: Unit) -> None:
    known = await _known(unit, received)
    grants = [*known["grants"], _grant(event.role, event.scope)]
    _put(unit, received, {**known, "grants": grants})


async def role_withdrawn(event: RoleWithdrawn, received: Received, unit: Unit) -> None:
    known, gone = await _known(unit, received), _grant(event.role, event.scope)
    _put(unit, received, {**known, "grants": [grant for grant in known["grants"] if grant != gone]})


async def delegation_given(event: DelegationGiven, received: Received, unit: Unit) -> None:
    known = await _known(unit, received)
    given = {
        "id": event.delegation_id,
        "on_behalf_of": event.on_behalf_of,
        "starts_at": event.starts_at,
        "ends_at": event.ends_at,
        **_grant(event.role, event.scope),
    }
    _put(unit, received, {**known, "delegations": [*known["delegations"], given]})


async def delegation_ended(event: DelegationEnded, received: Received, unit: Unit) -> None:
    known = await _known(unit, received)
    left = [given for given in known["delegations"] if given["id"] != event.delegation_id]
    _put(unit, received, {**known, "delegations": left})


async def person_signed_out(event: PersonSignedOut, received: Received, unit: Unit) -> None:
    _put(unit, received, {**await _known(unit, received), "sessions_from": event.sessions_from})


async def system_registered(event: SystemRegistered, received: Received, unit: Unit) -> None:
    _begin(unit, received, grants=[_grant(Role.EXTERNAL_SYSTEM, event.scope)])


async def key_issued(event: KeyIssued, received: Received, unit: Unit) -> None:
    known = await _known(unit, received)
    keys = [*known["keys"], {"id": event.key_id, "sha256": event.sha256}]
    _put(unit, received, {**known, "keys": keys})


async def key_revoked(event: KeyRevoked, received: Received, unit: Unit) -> None:
    known = await _known(unit, received)
    _put(unit, received, {**known, "keys": [key for key in known["keys"] if key["id"] != event.key_id]})


def projected_directory(runtime: Runtime, settings: Settings) -> ProjectedDirectory:
    """What every service but partners asks."""
    partners = RemoteDirectory(settings.partners_url, settings.internal_key.get_secret_value())
    return ProjectedDirectory(
        runtime.mongo, runtime.clock, Freshness(runtime.clock), partners, partners.close
    )


def directory_room() -> Room:
    """The projection as a room, for every service but partners."""
    return Room(name="directory", collections=(COLLECTION,), subscriptions=(SUBSCRIPTION,))


def _begin(unit: Unit, received: Received, **known: Any) -> None:
    nothing: _Document = {
        "subject": None,
        "grants": [],
        "delegations": [],
        "keys": [],
        "language": "en",
        "zone": "UTC",
    }
    _put(unit, received, {**nothing, **known})


async def _known(unit: Unit, received: Received) -> _Document:
    document = await unit.get(DIRECTORY, received.envelope.subject)
    if document is None:  # Order per person is promised, so this record is parked for an operator to see.
        raise LookupError(f"the directory does not know {received.envelope.subject}")
    return document


def _put(unit: Unit, received: Received, document: _Document) -> None:
    envelope = received.envelope
    unit.put(DIRECTORY, {**document, "_id": envelope.subject, "version": envelope.version})


def _grant(role: Role, scope: Iterable[Scope]) -> _Document:
    return {"role": role.value, "scope": sorted([part.kind.value, part.value] for part in scope)}


def _entry(document: _Document) -> Entry:
    return Entry(
        id=document["_id"],
        grants=tuple(_read_grant(grant) for grant in document["grants"]),
        loans=tuple(
            Loan(
                id=given["id"],
                on_behalf_of=given["on_behalf_of"],
                grant=_read_grant(given),
                starts_at=given["starts_at"],
                ends_at=given["ends_at"],
            )
            for given in document["delegations"]
        ),
        language=document["language"],
        zone=document["zone"],
        sessions_from=document.get("sessions_from"),  # Only of who ever signed out everywhere.
    )


def _read_grant(grant: Mapping[str, Any]) -> Grant:
    return Grant(grant["role"], tuple((kind, value) for kind, value in grant["scope"]))


def _people_of(batch: Sequence[Received]) -> Mapping[str, Iterable[object]]:
    ours = {event.type for event in SUBSCRIPTION.handlers}
    return {DIRECTORY: [one.envelope.subject for one in batch if one.envelope.type in ours]}


COLLECTION = Collection(
    name=DIRECTORY,
    indexes=(
        Index(name="by_subject", keys=(("subject", 1),)),
        Index(name="by_key", keys=(("keys.id", 1),)),
    ),
)
SUBSCRIPTION = Subscription(
    purpose="directory",
    topic="concord.partners.v1",
    handlers={
        PersonAdmitted: person_admitted,
        PersonInvited: person_invited,
        PersonJoined: person_joined,
        PersonErased: person_erased,
        RoleGranted: role_granted,
        RoleWithdrawn: role_withdrawn,
        DelegationGiven: delegation_given,
        DelegationEnded: delegation_ended,
        PersonSignedOut: person_signed_out,
        SystemRegistered: system_registered,
        KeyIssued: key_issued,
        KeyRevoked: key_revoked,
    },
    prefetch=_people_of,
    urgent=True,
    streams=frozenset({"prs", "sys"}),
)
