"""People, systems and partners with sensible defaults, made of events as everything is."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TypeVar

from services.partners.people.domain.delegation import Delegation
from services.partners.people.domain.invitation import InvitationTerms
from services.partners.people.domain.person import Person
from services.partners.people.domain.system import System
from services.partners.people.queries import entry_of
from services.partners.register.domain.partner import Partner
from shared.contracts.envelope import Event
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Grant, PartnerKind, Role, ScopeKind
from shared.storage.repository import Aggregate

NOON = datetime(2027, 1, 15, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ADMIN = "prs_01JD0000000000000000000009"
SOMEBODY, SOMEBODY_ELSE = "prs_01JD0000000000000000000004", "prs_01JD0000000000000000000005"
STRANGER = "prs_01JD0000000000000000000006"
PARTNER = "ptn_01JD0000000000000000000001"

A = TypeVar("A", bound=Aggregate)


def given(kind: type[A], events: Sequence[Event]) -> A:
    first, *rest = events
    return after(kind.begin(first), rest)


def after(aggregate: A, events: Iterable[Event]) -> A:
    return reduce(lambda folded, event: folded.apply(event), events, aggregate)


def scope(**values: str) -> tuple[Scope, ...]:
    return tuple(Scope(kind=ScopeKind(kind), value=value) for kind, value in values.items())


def admitted(id: str = SOMEBODY, subject: str = "sub-1") -> Person:
    return given(Person, Person.admit(id, subject=subject, language="en", zone="Africa/Nairobi"))


def holding(role: Role, id: str = SOMEBODY, **scopes: str) -> Person:
    person = admitted(id)
    return after(person, person.grant(role, scope(**scopes), by=ADMIN))


def terms(now: datetime = NOON, task_id: str = "tsk_1", code_sha256: str = "c0de") -> InvitationTerms:
    return InvitationTerms(
        partner_id=PARTNER,
        partner_name="Slum Dwellers Federation of Kisumu",
        code_sha256=code_sha256,
        task_id=task_id,
        language="en",
        zone="Africa/Nairobi",
        now=now,
    )


def invited(now: datetime = NOON) -> Person:
    return given(Person, Person.invite(SOMEBODY, terms(now)))


def lent(
    role: Role = Role.SIGNATORY,
    starts_at: datetime = NOON,
    ends_at: datetime = NOON + timedelta(days=10),
    id: str = "dlg_1",
    **scopes: str,
) -> Delegation:
    return Delegation(
        id=id,
        on_behalf_of=SOMEBODY_ELSE,
        role=role,
        scope=scope(**scopes),
        starts_at=starts_at,
        ends_at=ends_at,
    )


def grants_at(instant: datetime, person: Person, *lenders: Person) -> tuple[Grant, ...]:
    entries = {lender.id: entry_of(lender) for lender in lenders}
    return entry_of(person).actor_at(instant, entries).grants


def system() -> System:
    return given(System, System.register("sys_1", label="Donor portal", owner_id=SOMEBODY, scope=()))


def partner(legal_name: str = "Slum Dwellers Federation of Kisumu", country: str = "KEN") -> Partner:
    events = Partner.register(
        PARTNER,
        legal_name=legal_name,
        kind=PartnerKind.CIVIL_SOCIETY,
        country=country,
        contact_id=SOMEBODY,
    )
    return given(Partner, events)
