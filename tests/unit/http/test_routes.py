"""A route that does not say whom it takes, or takes what has no limits, cannot be made."""

import pytest
from pydantic import BaseModel

from shared.http.app import PUBLIC, Body, Routes, Work


class Unlimited(Body):
    name: str


class NoBody(BaseModel):
    count: int


async def endpoint(work: Work) -> None:
    return None


def test_a_route_names_whom_it_takes() -> None:
    routes = Routes("partners", room="register")
    for method in (routes.get, routes.post, routes.put, routes.patch, routes.delete):
        with pytest.raises(TypeError, match="may"):
            method("/things")  # type: ignore[call-arg]
    assert routes.routes == []


def test_a_permission_that_no_role_has_is_a_mistake() -> None:
    with pytest.raises(LookupError, match="partner:regsiter"):
        Routes("partners", room="register").post("/partners", may="partner:regsiter")


def test_a_body_has_limits() -> None:
    async def take(body: Unlimited) -> None:
        return None

    with pytest.raises(TypeError, match=r"Unlimited\.name"):
        Routes("partners", room="register").post("/things", may=PUBLIC)(take)


def test_a_body_is_a_body_of_the_kit() -> None:
    async def take(body: NoBody) -> None:
        return None

    with pytest.raises(TypeError, match="derives"):
        Routes("partners", room="register").post("/things", may=PUBLIC)(take)


def test_an_endpoint_that_would_need_a_thread_is_a_mistake() -> None:
    def wait(work: Work) -> None:
        return None

    with pytest.raises(TypeError, match="must be async"):
        Routes("partners", room="register").get("/things", may=PUBLIC)(wait)


def test_an_endpoint_stays_what_it_was() -> None:
    assert Routes("partners", room="register").get("/things", may=PUBLIC)(endpoint) is endpoint
