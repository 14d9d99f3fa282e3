"""People come into the directory, are given roles, and leave without a trace of who they were."""

from datetime import timedelta

import pytest

from services.partners.people.domain.person import ROLES_MAX, Person, PersonStatus
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.partners.person import (
    InvitationLapsed,
    PersonAdmitted,
    PersonErased,
    PersonInvited,
    PersonJoined,
    RoleGranted,
    RoleWithdrawn,
)
from shared.contracts.vocabulary import Grant, Role
from shared.errors import Forbidden, Refusal
from tests.unit.partners.builders import (
    ADMIN,
    NOON,
    PARTNER,
    SOMEBODY,
    TICK,
    admitted,
    after,
    grants_at,
    holding,
    invited,
    scope,
    terms,
)

DEADLINE = NOON + timedelta(days=30)
AS_PARTNER_USER = RoleGranted(person_id=SOMEBODY, role=Role.PARTNER_USER, scope=scope(partner=PARTNER))


def joined() -> Person:
    return after(invited(), invited().join("sub-1", NOON))


def lapsed() -> Person:
    return after(invited(), invited().lapse(DEADLINE))


def erased() -> Person:
    return after(admitted(), admitted().erase("asked for it"))


def test_who_is_admitted_is_in_the_directory_and_may_do_nothing_yet() -> None:
    person = admitted()
    assert person.status is PersonStatus.JOINED
    assert grants_at(NOON, person) == ()


def test_an_invitation_says_its_end_and_gives_the_invited_a_task() -> None:
    person_invited, task = Person.invite(SOMEBODY, terms())
    assert isinstance(person_invited, PersonInvited) and isinstance(task, TaskAssigned)
    assert person_invited.expires_at == DEADLINE == task.due_at
    assert (task.kind, task.about, task.person_id) == ("join_for_partner", SOMEBODY, SOMEBODY)
    assert invited().status is PersonStatus.INVITED
    assert invited().subject is None


def test_an_invitation_ends_at_a_whole_second_so_that_its_timer_cannot_come_before_it() -> None:
    assert terms(NOON + timedelta(microseconds=999_999)).expires_at == DEADLINE


def test_who_joins_speaks_for_the_partner_and_the_task_is_done() -> None:
    events = invited().join("sub-1", NOON)
    assert events == [
        PersonJoined(person_id=SOMEBODY, subject="sub-1"),
        AS_PARTNER_USER,
        TaskDone(task_id="tsk_1", about=SOMEBODY, outcome="joined"),
    ]
    assert grants_at(NOON, joined()) == (Grant("partner_user", (("partner", PARTNER),)),)
    assert joined().status is PersonStatus.JOINED


def test_an_invitation_can_be_taken_up_until_just_before_its_end() -> None:
    assert invited().join("sub-1", DEADLINE - TICK)
    with pytest.raises(Refusal) as refusal:
        invited().join("sub-1", DEADLINE)
    assert refusal.value.code == "invitation_expired"


def test_taking_it_up_twice_changes_nothing_and_nobody_else_can() -> None:
    assert joined().join("sub-1", NOON) == []
    with pytest.raises(Refusal) as refusal:
        joined().join("sub-2", NOON)
    assert refusal.value.code == "invitation_used"


def test_an_invitation_that_nobody_takes_up_lapses_at_its_end_and_once() -> None:
    assert invited().lapse(DEADLINE - TICK) == []
    assert invited().lapse(DEADLINE) == [
        InvitationLapsed(person_id=SOMEBODY, partner_id=PARTNER),
        TaskDone(task_id="tsk_1", about=SOMEBODY, outcome="expired"),
    ]
    assert lapsed().lapse(DEADLINE) == []
    assert joined().lapse(DEADLINE) == []
    with pytest.raises(Refusal) as refusal:
        lapsed().join("sub-1", NOON)
    assert refusal.value.code == "invitation_expired"


def test_inviting_anew_ends_the_task_before_and_begins_another() -> None:
    later = terms(NOON + timedelta(days=1), task_id="tsk_2", code_sha256="0ther")
    events = invited().invite_anew(later)
    assert events[0] == TaskDone(task_id="tsk_1", about=SOMEBODY, outcome="invited_anew")
    again = after(invited(), events)
    assert again.invitation is not None
    assert (again.invitation.code_sha256, again.invitation.open_task_id) == ("0ther", "tsk_2")
    assert again.invitation.expires_at == DEADLINE + timedelta(days=1)
    assert again.lapse(DEADLINE) == []


def test_after_it_lapsed_only_a_new_invitation_opens_the_door() -> None:
    again = after(lapsed(), lapsed().invite_anew(terms(DEADLINE)))
    assert again.status is PersonStatus.INVITED
    assert again.join("sub-1", DEADLINE)


@pytest.mark.parametrize(("person", "code"), [(joined(), "already_joined"), (erased(), "person_erased")])
def test_who_is_in_the_directory_or_erased_is_not_invited_again(person: Person, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        person.invite_anew(terms())
    assert refusal.value.code == code


def test_a_role_is_granted_and_withdrawn_and_doing_it_twice_changes_nothing() -> None:
    officer = holding(Role.PARTNERSHIP_OFFICER, country="KEN")
    assert grants_at(NOON, officer) == (Grant("partnership_officer", (("country", "KEN"),)),)
    assert officer.grant(Role.PARTNERSHIP_OFFICER, scope(country="KEN"), by=ADMIN) == []
    events = officer.withdraw(Role.PARTNERSHIP_OFFICER, scope(country="KEN"))
    withdrawn = RoleWithdrawn(person_id=SOMEBODY, role=Role.PARTNERSHIP_OFFICER, scope=scope(country="KEN"))
    assert events == [withdrawn]
    assert after(officer, events) == admitted()
    assert admitted().withdraw(Role.PARTNERSHIP_OFFICER, scope(country="KEN")) == []


def test_a_role_is_withdrawn_with_the_scope_it_was_granted_with_and_no_other() -> None:
    officer = holding(Role.PARTNERSHIP_OFFICER, country="KEN")
    assert officer.withdraw(Role.PARTNERSHIP_OFFICER, ()) == []


def test_nobody_gives_a_role_to_themselves() -> None:
    administrator = holding(Role.ADMINISTRATOR)
    with pytest.raises(Forbidden) as refusal:
        administrator.grant(Role.OPERATOR, (), by=SOMEBODY)
    assert refusal.value.code == "own_role"


@pytest.mark.parametrize("person", [invited(), lapsed(), erased()])
def test_only_who_is_in_the_directory_is_given_a_role(person: Person) -> None:
    with pytest.raises(Refusal) as refusal:
        person.grant(Role.OPERATOR, (), by=ADMIN)
    assert refusal.value.code == "not_joined"


def test_a_person_has_a_hundred_roles_at_most() -> None:
    person = admitted()
    for number in range(ROLES_MAX):
        person = after(person, person.grant(Role.OPERATOR, scope(unit=f"unit {number}"), by=ADMIN))
    with pytest.raises(Refusal) as refusal:
        person.grant(Role.OPERATOR, (), by=ADMIN)
    assert refusal.value.code == "too_many_roles"


def test_who_is_erased_keeps_no_subject_no_role_and_no_task() -> None:
    events = invited().erase("asked for it")
    assert events == [
        TaskDone(task_id="tsk_1", about=SOMEBODY, outcome="erased"),
        PersonErased(person_id=SOMEBODY, reason="asked for it"),
    ]
    gone = after(holding(Role.ADMINISTRATOR), admitted().erase("asked for it"))
    assert gone.status is PersonStatus.ERASED
    assert (gone.subject, gone.roles, gone.invitation, grants_at(NOON, gone)) == (None, (), None, ())
    assert not gone.is_administrator
    assert gone.erase("again") == []


def test_the_invitation_of_who_was_erased_opens_nothing() -> None:
    gone = after(invited(), invited().erase("asked for it"))
    with pytest.raises(Refusal) as refusal:
        gone.join("sub-1", NOON)
    assert refusal.value.code == "invitation_used"
    assert gone.lapse(DEADLINE) == []


def test_a_person_does_not_swallow_an_event_they_do_not_know() -> None:
    with pytest.raises(AssertionError):
        Person.begin(PersonErased(person_id=SOMEBODY, reason="no beginning"))
    with pytest.raises(AssertionError):
        admitted().apply(PersonAdmitted(**PersonAdmitted.example))
