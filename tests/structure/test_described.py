"""The description of the API is whole: each operation has examples that it would take and give, and names the
refusals that it can answer with. Nothing is started for it: what an application says of itself, it knows.
"""

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter

from deploy.local.what_to_try import TOKEN_GRANT
from services.__main__ import SERVICES, application, settings_of
from shared.http import common_refusals
from shared.http.examples import example_of
from shared.http.problems import MEDIA_TYPE
from shared.http.refusals import refusals_of
from shared.http.route import ConcordRoute
from shared.http.server import Served
from shared.web.api_pages import DEMO_GRANT, OFFERS
from shared.web.pages import PageRoute
from tests.structure import reference

# Refused where neither an operation of the API nor a page is: by a consumer, by the sender and the demo
# receiver of webhooks, by the command line, or by the kit around them.
NOT_OVER_HTTP = frozenset(
    {
        "cross_site",
        "email_address_invalid",
        "email_control_characters",
        "email_list_invalid",
        "email_too_long",
        "form_malformed",
        "kept_form_not_found",
        "method_not_allowed",
        "not_due",
        "not_signed_in",
        "nothing_here",
        "parked_body_empty",
        "parked_message_not_found",
        "request_malformed",
        "route_not_found",
        "timer_gone",
        "view_moved",
        "webhook_headers_missing",
        "webhook_receiver_unknown",
        "webhook_signature_mismatch",
        "webhook_timestamp_refused",
        "webhook_url_address",
        "…_not_found",
    }
)


@cache
def apps() -> dict[str, FastAPI]:
    async def make() -> dict[str, FastAPI]:
        made: dict[str, FastAPI] = {}
        for name, kind in SERVICES.items():
            settings = settings_of(name, demo=True)
            one = application(name, settings)
            app = Served(one, kind.directory(one.runtime, settings), settings).app
            assert isinstance(app, FastAPI)
            made[name] = app
        return made

    return asyncio.run(make())


def operations() -> Iterator[tuple[ConcordRoute, dict[str, Any]]]:
    for app in apps().values():
        for route in app.routes:
            if isinstance(route, ConcordRoute):
                yield route, app.openapi()["paths"][route.path_format][route.rule.method.lower()]


def told(operation: dict[str, Any]) -> dict[str, int]:
    """By code."""
    return {
        code: int(status)
        for status, answer in operation["responses"].items()
        if status != "default"
        for code in answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    }


def test_every_operation_says_in_a_few_words_what_it_is() -> None:
    found = [route.path for route, operation in operations() if not operation["summary"]]
    assert found == []


def test_every_body_has_an_example_that_the_operation_would_take() -> None:
    for route, operation in operations():
        if route.body_field is None:
            assert "requestBody" not in operation, route.path
            continue
        [content] = operation["requestBody"]["content"].values()
        kind: TypeAdapter[Any] = TypeAdapter(route.body_field.field_info.annotation or Any)
        kind.validate_python(content["example"], strict=False)


def test_every_answer_has_an_example_that_the_operation_could_give() -> None:
    for route, operation in operations():
        answer = operation["responses"][str(route.status_code)]
        contents = list(answer.get("content", {}).values())
        assert contents or route.status_code == 204, f"{route.path} shows no answer"
        for content in contents:
            assert "example" in content, f"{route.path} has no example of its answer"
        if route.response_model is not None and contents:
            kind: TypeAdapter[Any] = TypeAdapter(route.response_model)
            kind.validate_python(contents[0]["example"])


def test_every_operation_names_its_refusals_with_an_example_of_each() -> None:
    for app in apps().values():
        document = app.openapi()
        problem = TypeAdapter(dict[str, Any])
        for path, methods in document["paths"].items():
            for operation in methods.values():
                refused = {status: one for status, one in operation["responses"].items() if status >= "400"}
                assert {"500", "503"} <= refused.keys(), path
                for status, one in refused.items():
                    if status == "default":
                        continue
                    for code, reference_to in one["content"][MEDIA_TYPE]["examples"].items():
                        name = reference_to["$ref"].rpartition("/")[2]
                        example = problem.validate_python(document["components"]["examples"][name]["value"])
                        assert (example["code"], str(example["status"])) == (code, status), path
                        assert example["detail"]


@pytest.mark.parametrize(
    ("service", "method", "path", "expected"),
    [
        (
            "partners",
            "POST",
            "/partners/v1/partners",
            {"partner_exists": 409, "country_unknown": 422, "outside_your_scope": 403},
        ),
        ("partners", "GET", "/partners/v1/partners/{id}", {"partner_not_found": 404}),
        ("partners", "POST", "/partners/v1/people/{id}/roles", {"own_role": 403, "not_joined": 409}),
        (
            "agreements",
            "POST",
            "/agreements/v1/agreements/{id}/signatures",
            {"round_closed": 409, "text_changed": 409, "separation_of_duties": 403, "on_hold": 423},
        ),
        (
            "notifications",
            "POST",
            "/notifications/v1/endpoints",
            {"endpoint_exists": 409, "webhook_url_scheme": 422},
        ),
        ("notifications", "GET", "/notifications/v1/events", {"cursor_of_other_filter": 400}),
    ],
)
def test_what_a_room_refuses_is_told_where_it_can_happen(
    service: str, method: str, path: str, expected: dict[str, int]
) -> None:
    operation = apps()[service].openapi()["paths"][path][method.lower()]
    assert expected.items() <= told(operation).items()


def test_a_repository_refuses_a_second_one_only_where_one_is_made() -> None:
    refusing = {route.path_format for route, one in operations() if "partner_exists" in told(one)}
    assert refusing == {"/partners/v1/partners"}


def test_who_only_reads_is_not_told_of_bodies_and_keys() -> None:
    for route, operation in operations():
        if route.rule.method == "GET":
            assert (
                told(operation)
                .keys()
                .isdisjoint(common_refusals.ONLY_OF_COMMANDS | common_refusals.OF_IDEMPOTENT)
            )


def test_what_the_kit_refuses_is_told_of_some_kind_of_route() -> None:
    assigned = (
        common_refusals.OF_ALL
        | common_refusals.OF_THE_NAMED
        | common_refusals.ONLY_OF_COMMANDS
        | common_refusals.OF_IDEMPOTENT
        | common_refusals.OF_NONE
    )
    read = common_refusals.read()
    assert assigned <= read.keys(), "the kit does not refuse this any more"
    rest = {code for code, said in read.items() if said.status != common_refusals.UNAUTHENTICATED} - assigned
    assert rest == set(), "say in shared/http/common_refusals.py which routes can answer with it"


def test_every_refusal_of_the_reference_is_told_by_an_operation_or_a_page_or_is_refused_elsewhere() -> None:
    everywhere = set().union(*(told(operation) for _, operation in operations())) | of_pages()
    untold = set(reference.refusals()) - everywhere - NOT_OVER_HTTP
    assert untold == set(), "the walk through the code does not reach it: write the types that lead there"


def of_pages() -> set[str]:
    pages = [route.page for app in apps().values() for route in app.routes if isinstance(route, PageRoute)]
    return {said.code for said in refusals_of(pages)}


def test_a_demonstration_gives_tokens_for_what_the_page_says() -> None:
    assert DEMO_GRANT == TOKEN_GRANT
    assert {offer.service for offer in OFFERS} == set(SERVICES)


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "string", "format": "date"}, "2027-01-15"),
        ({"type": "integer", "minimum": 7}, 7),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, "tex"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string", "examples": ["as it says itself"]}, "as it says itself"),
        ({"type": "array", "items": {"type": "boolean"}}, [True]),
        ({"type": "object", "title": "PartnerOut", "properties": {"country": {"type": "string"}}}, None),
    ],
)
def test_an_example_fits_what_it_is_an_example_of(schema: dict[str, Any], example: Any) -> None:
    assert example_of(schema, {}) == (example if example is not None else {"country": "KEN"})
