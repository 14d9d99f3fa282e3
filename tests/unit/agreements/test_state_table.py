"""Every cell of the state table: what may happen to an agreement in which state, and what is refused."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from services.agreements.instruments.domain import drafting, holds, lifetime
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.dates import start_of
from services.agreements.instruments.domain.states import Move, Status
from services.agreements.instruments.domain.text import AgreementText
from services.agreements.standing.domain.standing import PartnerStanding
from shared.contracts.agreements.agreement import Party
from shared.contracts.envelope import Event
from shared.errors import Refusal
from tests.unit.agreements.building import ACTIVE, NOW, RULES, SUSPENDED, fold, in_status, over_at, send, sign

FIRST_DAY = start_of(date(2027, 3, 1), RULES.zone)
MUCH_LATER = NOW + timedelta(days=3_650)


def _change_text(agreement: Agreement) -> list[Event]:
    return drafting.change_text(agreement, AgreementText.of("Another text.", RULES))


def _hold(agreement: Agreement, partner: PartnerStanding = SUSPENDED) -> list[Event]:
    return holds.follow(agreement, partner, NOW)


MOVES: dict[Move, Callable[[Agreement], list[Event]]] = {
    Move.CHANGE_TEXT: _change_text,
    Move.SEND: send,
    Move.SIGN: lambda agreement: sign(agreement, Party.PARTNER, by="prs_somebody_else"),
    Move.LAPSE: lambda agreement: lifetime.lapse(agreement, MUCH_LATER),
    Move.ENTER_INTO_FORCE: lambda agreement: lifetime.enter_into_force(agreement, ACTIVE, FIRST_DAY),
    Move.EXPIRE: lambda agreement: lifetime.expire(agreement, over_at(agreement)),
    Move.HOLD: _hold,
}

REFUSED = "transition_not_allowed"
# From a state (a row), by a move (a column): the state it leads to, or the refusal.
TABLE: dict[Status, dict[Move, Status | str]] = {
    Status.DRAFT: {
        Move.CHANGE_TEXT: Status.DRAFT,
        Move.SEND: Status.IN_SIGNATURE,
        Move.SIGN: REFUSED,
        Move.LAPSE: REFUSED,
        Move.ENTER_INTO_FORCE: REFUSED,
        Move.EXPIRE: REFUSED,
        Move.HOLD: Status.DRAFT,
    },
    Status.IN_SIGNATURE: {
        Move.CHANGE_TEXT: REFUSED,
        Move.SEND: REFUSED,
        Move.SIGN: Status.IN_SIGNATURE,
        Move.LAPSE: Status.LAPSED,
        Move.ENTER_INTO_FORCE: REFUSED,
        Move.EXPIRE: REFUSED,
        Move.HOLD: Status.IN_SIGNATURE,
    },
    Status.SIGNED: {
        Move.CHANGE_TEXT: REFUSED,
        Move.SEND: REFUSED,
        Move.SIGN: "round_closed",
        Move.LAPSE: REFUSED,
        Move.ENTER_INTO_FORCE: Status.IN_FORCE,
        Move.EXPIRE: Status.EXPIRED,
        Move.HOLD: Status.SIGNED,
    },
    Status.IN_FORCE: {
        Move.CHANGE_TEXT: REFUSED,
        Move.SEND: REFUSED,
        Move.SIGN: "round_closed",
        Move.LAPSE: REFUSED,
        Move.ENTER_INTO_FORCE: REFUSED,
        Move.EXPIRE: Status.EXPIRED,
        Move.HOLD: Status.IN_FORCE,
    },
    Status.EXPIRED: {
        Move.CHANGE_TEXT: REFUSED,
        Move.SEND: REFUSED,
        Move.SIGN: "round_closed",
        Move.LAPSE: REFUSED,
        Move.ENTER_INTO_FORCE: REFUSED,
        Move.EXPIRE: REFUSED,
        Move.HOLD: REFUSED,
    },
    Status.LAPSED: {
        Move.CHANGE_TEXT: REFUSED,
        Move.SEND: REFUSED,
        Move.SIGN: "round_closed",
        Move.LAPSE: REFUSED,
        Move.ENTER_INTO_FORCE: REFUSED,
        Move.EXPIRE: REFUSED,
        Move.HOLD: REFUSED,
    },
}


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("status", Status)
def test_an_agreement_moves_as_the_table_says_and_not_otherwise(status: Status, move: Move) -> None:
    agreement = in_status(status)
    assert agreement.status is status
    expected = TABLE[status][move]
    if isinstance(expected, Status):
        events = MOVES[move](agreement)
        assert events
        assert fold(agreement, events).status is expected
    else:
        with pytest.raises(Refusal) as refusal:
            MOVES[move](agreement)
        assert (refusal.value.code, refusal.value.status) == (expected, 409)
