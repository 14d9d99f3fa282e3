"""The pages of the API: anybody reads them, under the policy of every page; and the description they show."""

import asyncio
import json
import re
from typing import Any

import pytest

from shared.http.openapi import EXAMPLE_KEY
from shared.settings import Settings
from shared.web.api_pages import API, OFFERS, docs_of
from tests.service.http.small_service import SmallService
from tests.service.web.test_pages_themselves import POLICY
from tests.support.browsing import Browser, browser_of

pytestmark = pytest.mark.asyncio

DOCS = docs_of("partners")
DESCRIPTION = "/partners/v1/openapi.json"


@pytest.fixture
def nobody(service: SmallService) -> Browser:
    return browser_of(service.app)


@pytest.mark.parametrize("path", [API, DOCS])
async def test_anybody_reads_them_under_the_policy_of_every_page(nobody: Browser, path: str) -> None:
    page = await nobody.get(path)
    assert page.status == 200
    assert page.answer.headers["content-security-policy"] == POLICY
    assert "style=" not in page.text
    assert "<script>" not in page.text


async def test_one_page_leads_to_all_services_and_says_how_to_get_a_token(nobody: Browser) -> None:
    page = await nobody.get(API)
    for offer in OFFERS:
        assert f'href="{offer.docs}"' in page.text
        assert f'href="{offer.description}"' in page.text
    assert f"{Settings(demo=True).oidc_issuer}/token" in page.text
    assert "grant_type=urn:concord:demo-persona" in page.text


async def test_a_service_shows_its_own_operations_with_files_that_are_there(
    nobody: Browser, service: SmallService
) -> None:
    page = await nobody.get(DOCS)
    assert f'data-description="{DESCRIPTION}"' in page.text
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert {name.rpartition("/")[2] for name in files} >= {"swagger-ui-bundle.js", "swagger-ui.css", "api.js"}
    for name in files:
        assert (await service.client.get(f"http://concord{name}")).status_code == 200


async def test_there_is_no_page_of_another_service_here(nobody: Browser) -> None:
    assert (await nobody.get(docs_of("agreements"))).status == 404


async def described(service: SmallService) -> dict[str, Any]:
    answer = await service.client.get(f"http://concord{DESCRIPTION}")
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


async def test_many_who_ask_for_the_description_at_once_get_the_same(service: SmallService) -> None:
    documents = await asyncio.gather(*(described(service) for _ in range(8)))
    assert len({json.dumps(one, sort_keys=True) for one in documents}) == 1


async def test_what_the_description_names_as_an_example_is_taken(service: SmallService) -> None:
    document = await described(service)
    operation = document["paths"]["/partners/v1/members"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["example"]
    keys = [one["example"] for one in operation["parameters"] if one["name"] == "Idempotency-Key"]
    assert keys == [EXAMPLE_KEY]
    answer = await service.post("officer", "/members", body, key=EXAMPLE_KEY)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "send"),
    [
        ("post", "/members", {"headers": {"Idempotency-Key": "1"}}),
        ("get", "/members?cursor=!", {}),
        ("get", "/members/ptn_none", {}),
        ("post", "/members", {"content": b"{", "headers": {"content-type": "application/json"}}),
    ],
)
async def test_what_an_operation_refuses_with_is_among_what_it_names(
    service: SmallService, method: str, path: str, send: dict[str, Any]
) -> None:
    document = await described(service)
    own = {**service.headers("officer"), **send.get("headers", {})}
    answer = await service.client.request(method.upper(), path, headers=own, content=send.get("content"))
    place = re.sub(r"ptn_\w+", "{id}", path.partition("?")[0])
    operation = document["paths"][f"/partners/v1{place}"][method]
    named = operation["responses"][str(answer.status_code)]["content"]["application/problem+json"]["examples"]
    assert answer.json()["code"] in named
