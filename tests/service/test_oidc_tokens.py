"""The demonstration's sign-in: what it gives a token for, and what it does not."""

import base64
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from deploy.local.oidc.provider import DEMO_GRANT
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.personas import PERSONAS, Persona
from tests.support.sign_in import (
    CHALLENGE,
    OTHER_RETURN,
    RETURN,
    SECRET,
    VERIFIER,
    Visitor,
    error_of,
    visiting,
)

FORM = "application/x-www-form-urlencoded"
pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visitor() -> AsyncIterator[Visitor]:
    async with visiting() as at_the_door:
        yield at_the_door


# What /token refuses.


async def test_a_code_is_good_once(visitor: Visitor) -> None:
    code = await visitor.code()
    assert (await visitor.redeem(code)).status_code == 200
    assert error_of(await visitor.redeem(code)) == (400, "invalid_grant")


async def test_a_code_is_good_for_sixty_seconds_and_not_at_the_sixtieth(visitor: Visitor) -> None:
    in_time, late = await visitor.code(), await visitor.code()
    visitor.clock.forward(59.999999)
    assert (await visitor.redeem(in_time)).status_code == 200
    visitor.clock.forward(0.000001)
    assert error_of(await visitor.redeem(late)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": None},
        {"code_verifier": "v" * 42},
        {"code_verifier": CHALLENGE},
        {"redirect_uri": OTHER_RETURN},
        {"redirect_uri": None},
        {"code": "guessed"},
        {"code": None},
        {"client_id": "concord-cli", "client_secret": None},
    ],
    ids=str,
)
async def test_a_code_is_of_no_use_to_anybody_else(visitor: Visitor, changed: dict[str, str | None]) -> None:
    assert error_of(await visitor.redeem(await visitor.code(), **changed)) == (400, "invalid_grant")


async def test_a_wrong_verifier_spends_the_code(visitor: Visitor) -> None:
    code = await visitor.code()
    assert error_of(await visitor.redeem(code, code_verifier="w" * 43)) == (400, "invalid_grant")
    assert error_of(await visitor.redeem(code)) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "changed",
    [
        {"client_secret": "wrong"},
        {"client_secret": None},
        {"client_secret": ""},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "concord-cli"},
    ],
    ids=str,
)
async def test_a_client_that_cannot_prove_itself_gets_nothing_and_leaves_the_code_unspent(
    visitor: Visitor, changed: dict[str, str | None]
) -> None:
    code = await visitor.code()
    answer = await visitor.redeem(code, **changed)
    assert error_of(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert (await visitor.redeem(code)).status_code == 200


async def test_a_client_may_prove_itself_in_the_header_but_not_twice(visitor: Visitor) -> None:
    code = await visitor.code()
    pair = base64.b64encode(b"concord-web:a+secret%3A+of+100%25+demo").decode()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": RETURN,
        "code_verifier": VERIFIER,
    }
    header = {"authorization": f"Basic {pair}"}
    twice = await visitor.browser.post("/token", data={**form, "client_secret": SECRET}, headers=header)
    assert error_of(twice) == (400, "invalid_request")
    for spoiled in ("Basic %%%", "Basic", "Bearer abc", f"Basic {base64.b64encode(b':x').decode()}"):
        refused = await visitor.browser.post("/token", data=form, headers={"authorization": spoiled})
        assert error_of(refused) == (401, "invalid_client")
    assert (await visitor.browser.post("/token", data=form, headers=header)).status_code == 200


async def test_a_public_client_is_held_by_its_verifier_alone(visitor: Visitor) -> None:
    there = {"client_id": "concord-cli", "redirect_uri": "http://127.0.0.1:7777/done"}
    code = await visitor.code(**there)
    assert (await visitor.redeem(code, **there, client_secret=None)).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (
            b"grant_type=password&username=a&password=b",
            FORM,
            (400, "unsupported_grant_type"),
        ),
        (b"", FORM, (400, "invalid_request")),
        (b"grant_type=a&grant_type=b", FORM, (400, "invalid_request")),
        (b"\xff\xfe", FORM, (400, "invalid_request")),
        (
            b"&".join(b"a%d=1" % number for number in range(60)),
            FORM,
            (400, "invalid_request"),
        ),
        (b"a=" + b"b" * 20_000, FORM, (413, "invalid_request")),
        (b"{}", "application/json", (415, "invalid_request")),
    ],
    ids=["password", "empty", "twice", "not UTF-8", "many", "large", "JSON"],
)
async def test_what_is_no_request_for_a_token_is_refused(
    visitor: Visitor, body: bytes, kind: str, expected: tuple[int, str]
) -> None:
    assert (
        error_of(await visitor.browser.post("/token", content=body, headers={"content-type": kind}))
        == expected
    )


# The demonstration's own ways.


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.key)
async def test_every_persona_can_act_from_a_terminal(visitor: Visitor, persona: Persona) -> None:
    granted = await visitor.browser.post("/token", data={"grant_type": DEMO_GRANT, "persona": persona.key})
    assert visitor.provider.keys.check(granted.json()["access_token"])["sub"] == persona.subject


async def test_nobody_acts_as_a_persona_that_is_not_there(visitor: Visitor) -> None:
    for form in ({"grant_type": DEMO_GRANT}, {"grant_type": DEMO_GRANT, "persona": "root"}):
        assert error_of(await visitor.browser.post("/token", data=form)) == (400, "invalid_request")


async def test_keys_are_rotated_on_demand_but_not_by_a_page_elsewhere() -> None:
    async with (
        running_provider(OidcSettings(demo=True)) as own,
        httpx2.AsyncClient(base_url=own.issuer, trust_env=False) as client,
    ):
        before = own.access_token("officer")
        rotated = await client.post("/demo/keys/rotations")
        assert rotated.status_code == 201
        assert rotated.json()["kid"] == own.keys.current.kid
        assert own.keys.check(before)["sub"] == "demo-officer"
        elsewhere = await client.post("/demo/keys/rotations", headers={"sec-fetch-site": "cross-site"})
        assert error_of(elsewhere) == (403, "access_denied")
        assert rotated.json()["kid"] == own.keys.current.kid


async def test_the_provider_answers_to_its_own_name_only(visitor: Visitor) -> None:
    form = {"grant_type": DEMO_GRANT, "persona": "officer"}
    assert (
        await visitor.browser.post("/token", data=form, headers={"host": "rebound.example.org"})
    ).status_code == 400
