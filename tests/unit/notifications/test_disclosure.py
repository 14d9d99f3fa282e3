"""Who may know of an event: one function, asked on every channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.deliveries.domain.disclosure import OUTSIDERS, STAFF, Reader, may_know
from shared.contracts.vocabulary import Grant, Role, ScopeKind, Visibility

PARTNERS = ("ptn_A", "ptn_B")
STATES = ("KEN", "BRA")

scopes = st.one_of(
    st.tuples(st.just(ScopeKind.PARTNER.value), st.sampled_from(PARTNERS)),
    st.tuples(st.just(ScopeKind.STATE.value), st.sampled_from(STATES)),
    st.tuples(st.just(ScopeKind.COUNTRY.value), st.sampled_from(STATES)),
)
grants = st.builds(
    Grant, st.sampled_from([role.value for role in Role]), st.lists(scopes, max_size=2).map(tuple)
)
readers = st.builds(
    Reader, id=st.sampled_from(("prs_1", "prs_2")), grants=st.lists(grants, max_size=3).map(tuple)
)
audiences = st.frozensets(
    st.sampled_from(
        [f"partner:{one}" for one in PARTNERS] + [f"state:{one}" for one in STATES] + ["person:prs_1"]
    )
)
visibilities = st.sampled_from(Visibility)


def reader(role: Role, *scope: tuple[str, str]) -> Reader:
    return Reader(id="prs_9", grants=(Grant(role, scope),))


def user_of(partner: str) -> Reader:
    return reader(Role.PARTNER_USER, ("partner", partner))


@given(audiences, readers)
def test_what_is_public_is_for_everybody(audience: frozenset[str], someone: Reader) -> None:
    assert may_know(Visibility.PUBLIC, audience, someone)


@given(audiences, readers)
def test_what_is_sealed_is_for_whoever_it_names_and_nobody_else(
    audience: frozenset[str], someone: Reader
) -> None:
    assert may_know(Visibility.SEALED, audience, someone) is (f"person:{someone.id}" in audience)


@given(visibilities, audiences)
def test_whoever_holds_nothing_knows_what_is_public_or_names_them(
    visibility: Visibility, audience: frozenset[str]
) -> None:
    nobody = Reader(id="prs_1")
    expected = visibility is Visibility.PUBLIC or "person:prs_1" in audience
    assert may_know(visibility, audience, nobody) is expected


@given(audiences.filter(lambda audience: "person:prs_1" not in audience), readers)
def test_what_is_the_secretariats_never_leaves_it(audience: frozenset[str], someone: Reader) -> None:
    outside = Reader(id="prs_1", grants=tuple(one for one in someone.grants if one.role in OUTSIDERS))
    assert not may_know(Visibility.SECRETARIAT, audience, outside)


@given(visibilities, audiences, readers, grants)
def test_another_grant_never_takes_knowledge_away(
    visibility: Visibility, audience: frozenset[str], someone: Reader, more: Grant
) -> None:
    richer = Reader(id=someone.id, grants=(*someone.grants, more))
    assert may_know(visibility, audience, richer) or not may_know(visibility, audience, someone)


@given(audiences, st.sampled_from(PARTNERS))
def test_a_partners_user_learns_of_their_partner_only(audience: frozenset[str], partner: str) -> None:
    expected = f"partner:{partner}" in audience
    assert may_know(Visibility.PARTNER, audience, user_of(partner)) is expected


@given(audiences, st.sampled_from(PARTNERS))
def test_a_partner_learns_nothing_of_what_is_between_member_states(
    audience: frozenset[str], partner: str
) -> None:
    assert not may_know(Visibility.MEMBER_STATES, audience, user_of(partner))


@given(visibilities, audiences)
def test_a_partners_user_without_a_partner_speaks_for_none(
    visibility: Visibility, audience: frozenset[str]
) -> None:
    expected = visibility is Visibility.PUBLIC
    assert may_know(visibility, audience, reader(Role.PARTNER_USER)) is expected


@pytest.mark.parametrize(
    ("audience", "told"), [((), False), (("partner:ptn_A",), True), (("state:KEN",), False)]
)
def test_a_system_for_all_partners_learns_what_names_one_of_them(
    audience: tuple[str, ...], told: bool
) -> None:
    assert may_know(Visibility.PARTNER, audience, reader(Role.EXTERNAL_SYSTEM)) is told


def test_a_draft_does_not_reach_the_partner_that_it_names() -> None:
    audience = ("partner:ptn_A",)
    assert not may_know(Visibility.SECRETARIAT, audience, user_of("ptn_A"))
    assert may_know(Visibility.SECRETARIAT, audience, reader(Role.PARTNERSHIP_OFFICER))


@pytest.mark.parametrize("role", sorted(STAFF))
def test_staff_without_a_scope_know_all_but_what_is_sealed(role: Role) -> None:
    someone = reader(role)
    known = {visibility for visibility in Visibility if may_know(visibility, ("partner:ptn_A",), someone)}
    assert known == set(Visibility) - {Visibility.SEALED}


def test_staff_with_a_scope_know_what_is_within_it() -> None:
    someone = reader(Role.PARTNERSHIP_OFFICER, ("partner", "ptn_A"))
    assert may_know(Visibility.PARTNER, ("partner:ptn_A",), someone)
    assert not may_know(Visibility.PARTNER, ("partner:ptn_B",), someone)
    assert not may_know(Visibility.SECRETARIAT, (), someone)


@pytest.mark.parametrize(("audience", "told"), [((), True), (("state:KEN",), True), (("state:BRA",), False)])
def test_a_delegate_learns_what_is_for_all_states_or_for_theirs(
    audience: tuple[str, ...], told: bool
) -> None:
    delegate = reader(Role.MEMBER_STATE_DELEGATE, ("state", "KEN"))
    assert may_know(Visibility.MEMBER_STATES, audience, delegate) is told
    assert not may_know(Visibility.PARTNER, audience, delegate)


def test_a_system_for_all_partners_learns_of_each_and_of_nothing_inside() -> None:
    system = reader(Role.EXTERNAL_SYSTEM)
    assert may_know(Visibility.PARTNER, ("partner:ptn_A",), system)
    assert not may_know(Visibility.SECRETARIAT, ("partner:ptn_A",), system)
    assert not may_know(Visibility.MEMBER_STATES, (), system)


def test_a_system_for_one_partner_learns_of_that_one() -> None:
    system = reader(Role.EXTERNAL_SYSTEM, ("partner", "ptn_A"))
    assert may_know(Visibility.PARTNER, ("partner:ptn_A",), system)
    assert not may_know(Visibility.PARTNER, ("partner:ptn_B",), system)
    country = reader(Role.EXTERNAL_SYSTEM, ("country", "KEN"))
    assert not may_know(Visibility.PARTNER, ("partner:ptn_A", "country:KEN"), country)
