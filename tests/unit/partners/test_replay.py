"""Whatever is decided, in whatever order: replaying the stream gives the state, and no rule of the whole is
broken on the way. Every event goes through its bytes, as it does in the log.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.partners.people.documents import persons, systems
from services.partners.people.domain.person import Person, PersonStatus
from services.partners.people.domain.system import KEYS_LIVE_MAX, System
from services.partners.register.documents import partners
from services.partners.register.domain.partner import Partner
from shared.contracts import catalogue
from shared.contracts.envelope import Event, Provenance, open_envelope, seal
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import PartnerKind, Role, ScopeKind
from shared.errors import Refusal
from shared.storage.repository import Repository
from tests.unit.partners.builders import (
    ADMIN,
    NOON,
    PARTNER,
    SOMEBODY,
    SOMEBODY_ELSE,
    grants_at,
    holding,
    lent,
    terms,
)

ROLES = st.sampled_from([Role.ADMINISTRATOR, Role.OPERATOR, Role.PARTNER_USER, Role.SIGNATORY])
SCOPES = st.lists(
    st.sampled_from(
        [Scope(kind=ScopeKind.PARTNER, value=PARTNER), Scope(kind=ScopeKind.COUNTRY, value="KEN")]
    ),
    max_size=2,
).map(tuple)
TIMES = st.integers(min_value=0, max_value=60).map(lambda days: NOON + timedelta(days=days))
SOME = st.sampled_from(["one", "two", "three"])
REASONS = st.sampled_from(["", "late", "Accounts are late", "Received at last"])


class Stream:
    """An aggregate and the bytes of its events."""

    def __init__(self, repository: Repository[Any]) -> None:
        self.repository = repository
        self.bodies: list[bytes] = []
        self.state: Any = None

    def add(self, decide: Callable[[], list[Event]]) -> None:
        try:
            events = decide()
        except Refusal:
            return
        for event in events:
            self.bodies.append(self._bytes(event))
            self.state = self.repository.fold(self.state, event)

    def _bytes(self, event: Event) -> bytes:
        provenance = Provenance(actor="system:test", time=NOON, recorded_at=NOON, correlation_id="c")
        version = len(self.bodies) + 1
        return seal(
            event, id="e", source="/concord/partners", subject="s", version=version, provenance=provenance
        )

    def replayed(self) -> Any:
        state = None
        for body in self.bodies:
            state = self.repository.fold(state, catalogue.event_of(open_envelope(body)))
        return state


class AnyLifeOfAPerson(RuleBasedStateMachine):
    @initialize(invited=st.booleans(), at=TIMES)
    def begins(self, invited: bool, at: Any) -> None:
        self.stream = Stream(persons)
        if invited:
            self.stream.add(lambda: Person.invite(SOMEBODY, terms(at)))
        else:
            self.stream.add(lambda: Person.admit(SOMEBODY, subject="one", language="en", zone="UTC"))

    @property
    def person(self) -> Person:
        assert isinstance(self.stream.state, Person)
        return self.stream.state

    @rule(subject=SOME, at=TIMES)
    def joins(self, subject: str, at: Any) -> None:
        self.stream.add(lambda: self.person.join(subject, at))

    @rule(at=TIMES, code=SOME)
    def is_invited_anew(self, at: Any, code: str) -> None:
        self.stream.add(lambda: self.person.invite_anew(terms(at, task_id=f"tsk_{code}", code_sha256=code)))

    @rule(at=TIMES)
    def lapses(self, at: Any) -> None:
        self.stream.add(lambda: self.person.lapse(at))

    @rule(role=ROLES, scope=SCOPES, by=st.sampled_from([ADMIN, SOMEBODY]))
    def is_granted(self, role: Role, scope: tuple[Scope, ...], by: str) -> None:
        self.stream.add(lambda: self.person.grant(role, scope, by=by))

    @rule(role=ROLES, scope=SCOPES)
    def loses(self, role: Role, scope: tuple[Scope, ...]) -> None:
        self.stream.add(lambda: self.person.withdraw(role, scope))

    @rule(role=ROLES, held=ROLES, at=TIMES, id=SOME)
    def borrows(self, role: Role, held: Role, at: Any, id: str) -> None:
        scopes = {"partner": PARTNER} if held is Role.PARTNER_USER else {}
        owner = holding(held, id=SOMEBODY_ELSE, **scopes)
        delegation = lent(role=role, starts_at=at, ends_at=at + timedelta(days=5), id=id)
        self.stream.add(lambda: self.person.borrow(delegation, owner=owner, by=ADMIN, now=NOON))

    @rule(id=SOME)
    def delegation_ends(self, id: str) -> None:
        self.stream.add(lambda: self.person.end_delegation(id, "Back from leave"))

    @rule(held=ROLES)
    def gives_back(self, held: Role) -> None:
        scopes = {"partner": PARTNER} if held is Role.PARTNER_USER else {}
        self.stream.add(lambda: self.person.give_back(holding(held, id=SOMEBODY_ELSE, **scopes)))

    @rule()
    def is_erased(self) -> None:
        self.stream.add(lambda: self.person.erase("At the person's request"))

    @invariant()
    def replaying_gives_the_state(self) -> None:
        replayed = self.stream.replayed()
        assert replayed == self.person
        assert persons.dump(replayed) == persons.dump(self.person)
        assert persons.restore({"state": persons.dump(self.person)}) == self.person

    @invariant()
    def only_who_is_in_the_directory_may_anything(self) -> None:
        if self.person.status is not PersonStatus.JOINED:
            assert self.person.subject is None
            assert grants_at(NOON, self.person) == ()
        assert len(set(self.person.roles)) == len(self.person.roles)

    @invariant()
    def a_task_is_open_exactly_while_an_invitation_is(self) -> None:
        invitation = self.person.invitation
        task_is_open = invitation is not None and invitation.open_task_id is not None
        assert task_is_open is (self.person.status is PersonStatus.INVITED)


class AnyLifeOfAPartner(RuleBasedStateMachine):
    @initialize(name=st.text(min_size=1, max_size=20), kind=st.sampled_from(PartnerKind))
    def begins(self, name: str, kind: PartnerKind) -> None:
        self.stream = Stream(partners)
        self.stream.add(
            lambda: Partner.register(
                PARTNER, legal_name=f"Ab{name}", kind=kind, country="KE", contact_id=SOMEBODY
            )
        )

    @rule(decide=st.sampled_from([Partner.suspend, Partner.reinstate, Partner.erase_contact]), reason=REASONS)
    def is_decided_on(self, decide: Callable[[Partner, str], list[Event]], reason: str) -> None:
        before = len(self.stream.bodies)
        self.stream.add(lambda: decide(self.stream.state, reason))
        if len(self.stream.bodies) > before:
            assert decide(self.stream.state, reason) == []

    @invariant()
    def replaying_gives_the_state(self) -> None:
        assert self.stream.replayed() == self.stream.state


class AnyLifeOfASystem(RuleBasedStateMachine):
    @initialize(scope=SCOPES)
    def begins(self, scope: tuple[Scope, ...]) -> None:
        self.stream = Stream(systems)
        self.stream.add(lambda: System.register("sys_1", label="Portal", owner_id=SOMEBODY, scope=scope))

    @rule(number=st.integers(min_value=0, max_value=9))
    def is_issued(self, number: int) -> None:
        id = f"key_{number}_{len(self.stream.bodies)}"
        self.stream.add(lambda: self.stream.state.issue(id, f"sha of {id}"))

    @rule(position=st.integers(min_value=0, max_value=3))
    def is_revoked(self, position: int) -> None:
        keys = [*self.stream.state.keys, None]
        key = keys[min(position, len(keys) - 1)]
        self.stream.add(lambda: self.stream.state.revoke(key.id if key else "key_x", "Rotated"))

    @invariant()
    def replaying_gives_the_state_and_two_keys_live_at_most(self) -> None:
        assert self.stream.replayed() == self.stream.state
        assert len(self.stream.state.live_keys) <= KEYS_LIVE_MAX


_FEW = settings(max_examples=40, stateful_step_count=25, deadline=None, database=None)
for _machine in (AnyLifeOfAPerson, AnyLifeOfAPartner, AnyLifeOfASystem):
    _machine.TestCase.settings = _FEW
TestAnyLifeOfAPerson = AnyLifeOfAPerson.TestCase
TestAnyLifeOfAPartner = AnyLifeOfAPartner.TestCase
TestAnyLifeOfASystem = AnyLifeOfASystem.TestCase
