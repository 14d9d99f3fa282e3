"""Whatever is asked of an agreement in whatever order, with timers late or on time, its promises hold."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import TypeAdapter

from services.agreements.instruments.domain import drafting, holds, lifetime
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.dates import day_of
from services.agreements.instruments.domain.states import Move, Status
from services.agreements.instruments.domain.text import AgreementText
from shared.contracts import catalogue
from shared.contracts.agreements.agreement import (
    AgreementEnteredIntoForce,
    AgreementExpired,
    AgreementFullySigned,
    AgreementSentForSignature,
    AgreementSignedByParty,
    Party,
)
from shared.contracts.envelope import Event, Provenance, open_envelope, seal
from shared.errors import Refusal
from tests.unit.agreements.building import (
    ACTIVE,
    NOW,
    OFFICER,
    PARTNER_USER,
    RULES,
    SIGNATORIES,
    SIGNATORY,
    closes_at,
    drafted,
    over_at,
    send,
    sign,
)

STATE = TypeAdapter(Agreement)
PEOPLE = (OFFICER, SIGNATORY, PARTNER_USER, "prs_a_colleague")
TEXTS = tuple(AgreementText.of(f"The text, version {number}.", RULES) for number in range(3))
FIRST_DAYS = (None, date(2027, 1, 15), date(2027, 1, 20), date(2027, 3, 1))
LAST_DAYS = (date(2027, 1, 25), date(2027, 3, 10), date(2027, 6, 30))


class AgreementMachine(RuleBasedStateMachine):
    """`log` has every event as the bytes it was written as, with the time of its decision."""

    @initialize(
        starts_on=st.sampled_from(FIRST_DAYS), ends_on=st.sampled_from(LAST_DAYS), half_way=st.booleans()
    )
    def draft(self, starts_on: date | None, ends_on: date, half_way: bool) -> None:
        self.now = NOW
        self.partner = ACTIVE
        later_start = starts_on if starts_on and starts_on <= ends_on else None
        self.agreement = drafted(starts_on=later_start, ends_on=ends_on)
        self.first_state = self.agreement
        self.log: list[tuple[datetime, bytes]] = []
        self.refused: list[str] = []
        if half_way:
            self.send()
            self.sign_as_asked(Party.PARTNER)

    @precondition(lambda self: self.agreement.status is Status.DRAFT)
    @rule(text=st.sampled_from(TEXTS))
    def change_text(self, text: AgreementText) -> None:
        self._decide(lambda now: drafting.change_text(self.agreement, text))

    @rule()
    def send(self) -> None:
        self._decide(lambda now: send(self.agreement, partner=self.partner, now=now))

    @precondition(lambda self: self.agreement.status is Status.IN_SIGNATURE)
    @rule(party=st.sampled_from(Party))
    def sign_as_asked(self, party: Party) -> None:
        self.sign(party, SIGNATORIES[party], None)

    @rule(
        party=st.sampled_from(Party),
        by=st.sampled_from(PEOPLE),
        text=st.one_of(st.none(), st.sampled_from(TEXTS)),
    )
    def sign(self, party: Party, by: str, text: AgreementText | None) -> None:
        bound = text.sha256 if text else self.agreement.text_sha256
        blocked = bool(self.agreement.holds) or self.partner.is_suspended
        events = self._decide(
            lambda now: sign(self.agreement, party, by=by, text_sha256=bound, partner=self.partner, now=now)
        )
        if events:
            assert not blocked and bound == self.agreement.text_sha256
            assert self.now < closes_at(self.agreement)

    @rule()
    def suspend_or_reinstate(self) -> None:
        version = self.partner.version + 1
        if self.partner.is_suspended:
            self.partner = self.partner.reinstated(version=version, as_of=self.now)
        else:
            self.partner = self.partner.suspended(f"event-{version}", version=version, as_of=self.now)

    @precondition(lambda self: not self.agreement.has_ended)
    @rule()
    def follow_the_standing(self) -> None:
        self._decide(lambda now: holds.follow(self.agreement, self.partner, now))
        assert self.agreement.held_for == self.partner.suspended_by

    @rule(hours=st.integers(1, 24 * 50), on_time=st.booleans())
    def let_time_pass(self, hours: int, on_time: bool) -> None:
        self.now += timedelta(hours=hours)
        if on_time:
            self.fire_what_is_due()

    @rule()
    def fire_what_is_due(self) -> None:
        """As the timers do: in the order of the due times, each at its due time, each once."""
        fired: set[Move] = set()
        while True:
            waiting = [(at, move) for move, at in lifetime.due(self.agreement).items() if move not in fired]
            due = sorted((at, move) for at, move in waiting if at <= self.now)
            if not due:
                return
            at, move = due[0]
            fired.add(move)
            self._decide(self._timer(move), at=at)

    def _timer(self, move: Move) -> Callable[[datetime], list[Event]]:
        return {
            Move.LAPSE: lambda now: lifetime.lapse(self.agreement, now),
            Move.ENTER_INTO_FORCE: lambda now: lifetime.enter_into_force(self.agreement, self.partner, now),
            Move.EXPIRE: lambda now: lifetime.expire(self.agreement, now),
        }[move]

    def _decide(self, decide: Callable[[datetime], list[Event]], at: datetime | None = None) -> list[Event]:
        now = at or self.now
        try:
            events = decide(now)
        except Refusal as refusal:
            assert at is None, "a timer is never refused"
            self.refused.append(refusal.code)
            return []
        for event in events:
            self.agreement = self.agreement.apply(event)
            self.log.append((now, self._sealed(event, now)))
        return events

    def _sealed(self, event: Event, now: datetime) -> bytes:
        provenance = Provenance(actor="prs_x", time=now, recorded_at=now, correlation_id="c")
        version = len(self.log) + 2
        id = f"event-{version}"
        return seal(event, id=id, source="/test", subject="agr", version=version, provenance=provenance)

    def _logged(self, kind: type[Any]) -> list[tuple[datetime, Any]]:
        opened = ((at, catalogue.event_of(open_envelope(body))) for at, body in self.log)
        return [(at, event) for at, event in opened if isinstance(event, kind)]

    @invariant()
    def every_signature_binds_the_text_that_was_sent(self) -> None:
        sent = {event.text_sha256 for _, event in self._logged(AgreementSentForSignature)}
        bound = {event.text_sha256 for _, event in self._logged(AgreementSignedByParty)}
        assert len(sent) <= 1 and bound <= sent
        assert not sent or sent == {self.agreement.text_sha256}

    @invariant()
    def both_sides_sign_once_and_completion_happens_once(self) -> None:
        parties = [event.party for _, event in self._logged(AgreementSignedByParty)]
        assert len(parties) == len(set(parties))
        assert len(self._logged(AgreementFullySigned)) == (set(parties) == set(Party))
        assert len(self._logged(AgreementEnteredIntoForce)) <= 1

    @invariant()
    def it_is_in_force_within_its_term_and_expires_after_its_last_day(self) -> None:
        for at, entered in self._logged(AgreementEnteredIntoForce):
            term = self.agreement.term
            assert entered.effective_on == day_of(at, RULES.zone)
            assert (term.starts_on or entered.effective_on) <= entered.effective_on <= term.ends_on
        for at, _ in self._logged(AgreementExpired):
            assert at == over_at(self.agreement)

    @invariant()
    def those_who_are_still_to_sign_and_nobody_else_have_a_task(self) -> None:
        if self.agreement.round is None:
            return
        asked = {task.party for task in self.agreement.round.tasks}
        in_signature = self.agreement.status is Status.IN_SIGNATURE
        assert asked == (self.agreement.round.pending if in_signature else set())

    @invariant()
    def replaying_what_was_written_gives_the_state(self) -> None:
        agreement = self.first_state
        for _, event in self._logged(Event):
            agreement = agreement.apply(event)
        assert STATE.dump_json(agreement) == STATE.dump_json(self.agreement)
        assert STATE.validate_json(STATE.dump_json(agreement)) == agreement


AgreementMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestAgreementMachine = AgreementMachine.TestCase
