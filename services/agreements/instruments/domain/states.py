"""Where an agreement can be, and which moves are allowed from there. What is not listed is refused."""

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import Refusal


class Status(StrEnum):
    DRAFT = "draft"
    IN_SIGNATURE = "in_signature"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    EXPIRED = "expired"
    LAPSED = "lapsed"


class Move(StrEnum):
    CHANGE_TEXT = "change_text"
    SEND = "send"
    SIGN = "sign"
    LAPSE = "lapse"
    ENTER_INTO_FORCE = "enter_into_force"
    EXPIRE = "expire"
    HOLD = "hold"


ENDED = frozenset({Status.EXPIRED, Status.LAPSED})
OPEN = frozenset(Status) - ENDED

ALLOWED: Mapping[Move, frozenset[Status]] = {
    Move.CHANGE_TEXT: frozenset({Status.DRAFT}),
    Move.SEND: frozenset({Status.DRAFT}),
    Move.SIGN: frozenset({Status.IN_SIGNATURE}),
    Move.LAPSE: frozenset({Status.IN_SIGNATURE}),
    Move.ENTER_INTO_FORCE: frozenset({Status.SIGNED}),
    # A signed agreement that a hold kept out of force ends with its last day like any other.
    Move.EXPIRE: frozenset({Status.SIGNED, Status.IN_FORCE}),
    Move.HOLD: OPEN,
}


def allows(status: Status, move: Move) -> bool:
    return status in ALLOWED[move]


def require(status: Status, move: Move) -> None:
    if not allows(status, move):
        raise Refusal(
            "transition_not_allowed",
            "The agreement is not in a state that allows this",
            state=status,
            move=move,
        )
