"""What somebody may do at an instant: what they hold, and what is lent to them by those who hold it."""

from datetime import UTC, datetime, timedelta

from shared.contracts.vocabulary import Grant, Role
from shared.http.directory import Entry, LentGrant, Loan, on_whose_behalf
from shared.http.directory_remote import DirectoryOut

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SIGNATORY = Grant(Role.SIGNATORY, (("unit", "Legal"),))
CHIEF, CLERK = "prs_01JD0000000000000000000001", "prs_01JD0000000000000000000002"


def clerk(lent: Grant = SIGNATORY, *own: Grant) -> Entry:
    loan = Loan(id="dlg_1", on_behalf_of=CHIEF, grant=lent, starts_at=NOON, ends_at=NOON + DAY)
    return Entry(id=CLERK, grants=own, loans=(loan,))


def chief(*grants: Grant) -> dict[str, Entry]:
    return {CHIEF: Entry(id=CHIEF, grants=grants)}


def test_a_loan_counts_from_its_first_instant_until_just_before_its_last() -> None:
    instants = [NOON - timedelta(microseconds=1), NOON, NOON + DAY - timedelta(microseconds=1), NOON + DAY]
    counts = [clerk().actor_at(instant, chief(SIGNATORY)).may("agreement:sign") for instant in instants]
    assert counts == [False, True, True, False]


def test_a_loan_ends_with_the_role_it_was_lent_from() -> None:
    assert not clerk().actor_at(NOON, chief()).may("agreement:sign")
    assert not clerk().actor_at(NOON, {}).may("agreement:sign")


def test_nobody_lends_more_than_they_hold() -> None:
    wide = Grant(Role.SIGNATORY)
    assert clerk(SIGNATORY).actor_at(NOON, chief(wide)).may("agreement:sign")
    assert not clerk(wide).actor_at(NOON, chief(SIGNATORY)).may("agreement:sign")
    elsewhere = Grant(Role.SIGNATORY, (("unit", "Finance"),))
    assert not clerk(SIGNATORY).actor_at(NOON, chief(elsewhere)).may("agreement:sign")


def test_who_uses_what_was_lent_acts_on_the_lenders_behalf() -> None:
    actor = clerk().actor_at(NOON, chief(SIGNATORY))
    assert on_whose_behalf(actor, "agreement:sign") == CHIEF
    assert on_whose_behalf(actor, "partner:register") is None


def test_who_holds_it_themselves_acts_on_nobodys_behalf() -> None:
    actor = clerk(SIGNATORY, Grant(Role.PARTNER_USER)).actor_at(NOON, chief(SIGNATORY))
    assert on_whose_behalf(actor, "agreement:sign") is None


def test_what_one_service_says_of_somebody_another_understands() -> None:
    actor = clerk(SIGNATORY, Grant(Role.AUDITOR)).actor_at(NOON, chief(SIGNATORY))
    assert any(isinstance(grant, LentGrant) for grant in actor.grants)
    said = DirectoryOut.of(actor).model_dump_json()
    assert DirectoryOut.model_validate_json(said).actor() == actor


def test_a_role_of_a_newer_release_grants_nothing_here() -> None:
    said = DirectoryOut.of(Entry(id=CLERK, grants=(Grant("astronaut"),)).actor_at(NOON, {}))
    assert said.actor().grants == ()
