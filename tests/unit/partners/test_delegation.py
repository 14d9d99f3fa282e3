"""A role is lent for a time, by who holds it, to somebody else."""

from datetime import timedelta

import pytest

from services.partners.people.domain.delegation import DELEGATION_LIFE_MAX, Delegation
from services.partners.people.domain.person import DELEGATIONS_MAX, Person
from shared.contracts.partners.person import DelegationEnded
from shared.contracts.vocabulary import Role
from shared.errors import Forbidden, NotFound, Refusal
from shared.http.directory import LentGrant
from tests.unit.partners.builders import (
    ADMIN,
    NOON,
    SOMEBODY,
    SOMEBODY_ELSE,
    STRANGER,
    TICK,
    admitted,
    after,
    grants_at,
    holding,
    invited,
    lent,
)

OWNER = holding(Role.SIGNATORY, id=SOMEBODY_ELSE)
LENT = lent()


def borrowing(delegation: Delegation = LENT, owner: Person = OWNER, person: Person | None = None) -> Person:
    borrower = person or admitted()
    return after(borrower, borrower.borrow(delegation, owner=owner, by=ADMIN, now=NOON))


def refused(delegation: Delegation, owner: Person = OWNER, by: str = ADMIN) -> str:
    with pytest.raises(Refusal) as refusal:
        admitted().borrow(delegation, owner=owner, by=by, now=NOON)
    return refusal.value.code


def test_what_is_lent_counts_from_its_first_instant_until_just_before_its_last() -> None:
    borrower = borrowing()
    signatory = (LentGrant("signatory", (), OWNER.id),)
    assert grants_at(LENT.starts_at - TICK, borrower, OWNER) == ()
    assert grants_at(LENT.starts_at, borrower, OWNER) == signatory
    assert grants_at(LENT.ends_at - TICK, borrower, OWNER) == signatory
    assert grants_at(LENT.ends_at, borrower, OWNER) == ()


def test_what_is_lent_counts_no_longer_than_its_owner_holds_it() -> None:
    poorer = after(OWNER, OWNER.withdraw(Role.SIGNATORY, ()))
    assert grants_at(NOON, borrowing(), poorer) == ()
    assert grants_at(NOON, borrowing(), after(OWNER, OWNER.erase("gone"))) == ()


def test_a_delegation_is_ended_early_and_must_be_there_to_be_ended() -> None:
    borrower = borrowing()
    events = borrower.end_delegation("dlg_1", "Back from leave")
    assert events == [DelegationEnded(person_id=SOMEBODY, delegation_id="dlg_1", reason="Back from leave")]
    assert after(borrower, events) == admitted()
    with pytest.raises(NotFound) as refusal:
        admitted().end_delegation("dlg_1", "Back from leave")
    assert refusal.value.code == "delegation_not_found"


def test_only_what_is_held_can_be_lent() -> None:
    kenya = holding(Role.SIGNATORY, id=SOMEBODY_ELSE, country="KEN")
    assert borrowing(lent(country="KEN"), owner=kenya).delegations
    assert refused(lent(), owner=kenya) == "not_theirs_to_lend"
    assert refused(lent(country="UGA"), owner=kenya) == "not_theirs_to_lend"
    assert refused(lent(role=Role.OPERATOR)) == "not_theirs_to_lend"


def test_what_was_borrowed_is_not_lent_on() -> None:
    borrower = borrowing(owner=holding(Role.SIGNATORY, id=STRANGER), person=admitted(SOMEBODY_ELSE, "sub-2"))
    assert borrower.delegations
    assert refused(LENT, owner=borrower) == "not_theirs_to_lend"


def test_the_administrator_s_role_is_never_lent() -> None:
    owner = holding(Role.ADMINISTRATOR, id=SOMEBODY_ELSE)
    assert refused(lent(role=Role.ADMINISTRATOR), owner=owner) == "role_never_lent"


def test_nobody_lends_to_themselves_or_records_what_is_lent_to_them() -> None:
    assert refused(LENT, by=SOMEBODY) == "own_role"
    own = holding(Role.SIGNATORY)
    with pytest.raises(Forbidden):
        own.borrow(LENT, owner=own, by=ADMIN, now=NOON)


def test_only_who_is_in_the_directory_borrows() -> None:
    with pytest.raises(Refusal) as refusal:
        invited().borrow(LENT, owner=OWNER, by=ADMIN, now=NOON)
    assert refusal.value.code == "not_joined"


def test_a_delegation_lasts_from_an_instant_to_a_year() -> None:
    assert borrowing(lent(ends_at=NOON + TICK)).delegations
    assert borrowing(lent(ends_at=NOON + DELEGATION_LIFE_MAX)).delegations
    assert refused(lent(ends_at=NOON)) == "delegation_ends_before_it_starts"
    assert refused(lent(ends_at=NOON + DELEGATION_LIFE_MAX + TICK)) == "delegation_too_long"
    yesterday = NOON - timedelta(days=1)
    assert refused(lent(starts_at=yesterday, ends_at=NOON)) == "delegation_over"
    assert borrowing(lent(starts_at=yesterday, ends_at=NOON + TICK)).delegations


def test_a_person_borrows_twenty_roles_at_most() -> None:
    borrower = admitted()
    for number in range(DELEGATIONS_MAX):
        borrower = borrowing(lent(id=f"dlg_{number}"), person=borrower)
    with pytest.raises(Refusal) as refusal:
        borrower.borrow(lent(id="dlg_x"), owner=OWNER, by=ADMIN, now=NOON)
    assert refusal.value.code == "too_many_delegations"


def test_what_is_lent_is_given_back_when_its_owner_loses_it() -> None:
    owner = after(OWNER, OWNER.grant(Role.OPERATOR, (), by=ADMIN))
    both = borrowing(lent(id="dlg_2", role=Role.OPERATOR), owner=owner, person=borrowing(owner=owner))
    assert both.give_back(owner) == []
    poorer = after(owner, owner.withdraw(Role.SIGNATORY, ()))
    events = both.give_back(poorer)
    assert events == [DelegationEnded(person_id=SOMEBODY, delegation_id="dlg_1", reason="role_withdrawn")]
    assert [lent.role for lent in after(both, events).delegations] == [Role.OPERATOR]
    assert after(both, events).give_back(poorer) == []
    assert after(both, both.give_back(after(owner, owner.erase("gone")))).delegations == ()


def test_what_somebody_else_lends_is_not_given_back() -> None:
    stranger = holding(Role.SIGNATORY, id=STRANGER)
    assert borrowing().give_back(after(stranger, stranger.withdraw(Role.SIGNATORY, ()))) == []
