"""Which tasks are mine, as a condition on what is stored."""

from typing import Any

from services.notifications.tasks.queries import mine
from shared.context import Actor
from shared.contracts.vocabulary import Grant, Role


def alternatives(*grants: Grant) -> list[dict[str, Any]]:
    condition = mine(Actor(id="prs_1", grants=grants))
    assert condition["open"] is True
    found: list[dict[str, Any]] = condition["$or"]
    return found


def test_what_is_given_to_me_is_mine() -> None:
    assert alternatives() == [{"person_id": "prs_1"}]


def test_a_role_without_a_scope_has_the_tasks_of_that_role_everywhere() -> None:
    assert {"person_id": None, "role": "signatory"} in alternatives(Grant(Role.SIGNATORY))


def test_a_role_within_a_scope_has_the_tasks_that_name_a_part_of_it() -> None:
    within = {"person_id": None, "role": "partner_user", "scope": {"$in": ["partner:ptn_1"]}}
    assert within in alternatives(Grant(Role.PARTNER_USER, (("partner", "ptn_1"),)))
