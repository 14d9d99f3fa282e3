"""The demonstration's sign-in: what an application must say to learn who somebody is, and what people see."""

from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio

from deploy.local.personas import PERSONAS
from tests.support.sign_in import ASKED, RETURN, SIGNED_OUT, VERIFIER, Visitor, error_of, visiting

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visitor() -> AsyncIterator[Visitor]:
    async with visiting() as at_the_door:
        yield at_the_door


# The whole way.


async def test_a_click_on_a_persona_leads_back_with_a_code_that_says_who_it_is(visitor: Visitor) -> None:
    page = await visitor.browser.get("/authorize", params=ASKED)
    form = Form(page.text)
    assert form.personas == [persona.key for persona in PERSONAS]
    answer = await visitor.browser.post(form.action, data={**form.hidden, "persona": "partner-user"})
    address = urlsplit(answer.headers["location"])
    assert address.geturl().startswith(RETURN + "&code=")
    returned = dict(parse_qsl(address.query))
    assert (returned["state"], returned["iss"]) == ("state & more", visitor.provider.issuer)

    granted = (await visitor.redeem(returned["code"])).json()
    assert (granted["token_type"], granted["expires_in"], granted["scope"]) == (
        "Bearer",
        600,
        "openid profile",
    )
    identity, access = (visitor.provider.keys.check(granted[name]) for name in ("id_token", "access_token"))
    assert identity["aud"] == "concord-web"
    assert identity["nonce"] == "nonce-1"
    assert identity["name"] == "ليلى الخطيب"
    assert (access["sub"], access["aud"], access["iss"]) == (
        "demo-partner-user",
        "concord",
        visitor.provider.issuer,
    )
    assert access["exp"] - access["iat"] == 600
    assert "name" not in access

    person = await visitor.browser.get(
        "/userinfo", headers={"authorization": f"Bearer {granted['access_token']}"}
    )
    assert person.json()["sub"] == "demo-partner-user"
    assert person.json()["zoneinfo"] == "Asia/Amman"


async def test_the_discovery_document_leads_to_every_endpoint(visitor: Visitor) -> None:
    said = (await visitor.browser.get("/.well-known/openid-configuration")).json()
    assert said["issuer"] == visitor.provider.issuer
    keys = (await visitor.browser.get(said["jwks_uri"])).json()["keys"]
    assert sorted(key["use"] for key in keys) == ["enc", "sig"]
    assert all(key["kid"] and not {"d", "p", "q"} & set(key) for key in keys)
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "end_session_endpoint"):
        assert (await visitor.browser.post(said[name], data={})).status_code not in (404, 405)


async def test_an_application_with_a_page_of_personas_of_its_own_needs_one_click_only(
    visitor: Visitor,
) -> None:
    listed = (await visitor.browser.get("/demo/personas")).json()["personas"]
    assert [one["key"] for one in listed] == [persona.key for persona in PERSONAS]
    assert not {"email", "grants", "subject"} & set(listed[0])
    answer = await visitor.browser.get("/authorize", params={**ASKED, "login_hint": "auditor"})
    returned = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    granted = (await visitor.redeem(returned["code"])).json()
    assert visitor.provider.keys.check(granted["id_token"])["sub"] == "demo-auditor"
    unknown = await visitor.browser.get("/authorize", params={**ASKED, "login_hint": "nobody"})
    assert (unknown.status_code, Form(unknown.text).action) == (200, "/authorize")


@pytest.mark.parametrize("port", [8080, 31_111])
async def test_an_application_on_this_machine_may_have_any_port(visitor: Visitor, port: int) -> None:
    asked = {**ASKED, "redirect_uri": f"http://127.0.0.1:{port}/any-port"}
    answer = await visitor.browser.get("/authorize", params={**asked, "login_hint": "officer"})
    assert answer.headers["location"].startswith(f"http://127.0.0.1:{port}/any-port?code=")


# What /authorize refuses.


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"state": ""}, "invalid_request"),
        ({"state": "s" * 513}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": VERIFIER + "v"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_incomplete_request_is_sent_back_with_the_reason_and_no_code(
    visitor: Visitor, changed: dict[str, str], error: str, method: str
) -> None:
    asked = {**ASKED, **changed, "persona": "officer"}
    asked = {name: value for name, value in asked.items() if value}
    if method == "GET":
        answer = await visitor.browser.get("/authorize", params=asked)
    else:
        answer = await visitor.browser.post("/authorize", data=asked)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address.startswith(f"{RETURN}&error={error}&")
    returned = dict(parse_qsl(urlsplit(address).query))
    assert returned.get("state") == asked.get("state")
    assert "code" not in returned


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://127.0.0.1:8080/signed-in"},
        {"redirect_uri": RETURN + "&more=1"},
        {"redirect_uri": RETURN.replace("127.0.0.1", "localhost")},
        {"redirect_uri": RETURN.upper()},
        {"redirect_uri": "https://elsewhere.example.org/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1:7777/done"},
        {"redirect_uri": "http://127.0.0.1:8080@elsewhere.example.org/any-port"},
        {"redirect_uri": "http://127.0.0.1:8080/any-port/more"},
        {"redirect_uri": "http://localhost:8080/any-port"},
        {"redirect_uri": "https://127.0.0.1:8080/any-port"},
        {"redirect_uri": "http://127.0.0.1:123456/any-port"},
        {"client_id": "concord-cli"},
        {"client_id": "nobody"},
        {"client_id": "<script>"},
    ],
    ids=str,
)
async def test_nobody_is_sent_to_an_address_that_is_not_registered(
    visitor: Visitor, changed: dict[str, str]
) -> None:
    answer = await visitor.browser.get("/authorize", params={**ASKED, **changed})
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "<script>" not in answer.text


async def test_a_parameter_given_twice_is_refused(visitor: Visitor) -> None:
    twice = await visitor.browser.get("/authorize", params=[*ASKED.items(), ("nonce", "nonce-2")])
    assert "error=invalid_request" in twice.headers["location"]
    elsewhere = await visitor.browser.get("/authorize", params=[*ASKED.items(), ("redirect_uri", RETURN)])
    assert elsewhere.status_code == 400


async def test_there_are_no_other_personas(visitor: Visitor) -> None:
    answer = await visitor.browser.post("/authorize", data={**ASKED, "persona": "root"})
    assert answer.status_code == 400
    assert "location" not in answer.headers


# Who is behind a token, and leaving.


async def test_only_a_living_access_token_says_who_it_is(visitor: Visitor) -> None:
    granted = (await visitor.redeem(await visitor.code())).json()
    for spoiled in (
        "",
        "Bearer",
        "Bearer garbage",
        f"Basic {granted['access_token']}",
        f"Bearer {granted['id_token']}",
    ):
        answer = await visitor.browser.get("/userinfo", headers={"authorization": spoiled})
        assert error_of(answer) == (401, "invalid_token")
    alive = {"authorization": f"Bearer {granted['access_token']}"}
    visitor.clock.forward(599)
    assert (await visitor.browser.get("/userinfo", headers=alive)).status_code == 200
    visitor.clock.forward(1)
    assert error_of(await visitor.browser.get("/userinfo", headers=alive)) == (401, "invalid_token")


async def test_signing_out_leads_to_a_registered_address_or_nowhere(visitor: Visitor) -> None:
    granted = (await visitor.redeem(await visitor.code())).json()
    visitor.clock.forward(1200)  # The hint may have expired.
    wanted = {"post_logout_redirect_uri": SIGNED_OUT, "state": "s"}
    for known_by in ({"id_token_hint": granted["id_token"]}, {"client_id": "concord-web"}):
        answer = await visitor.browser.get("/end-session", params={**wanted, **known_by})
        assert answer.headers["location"] == f"{SIGNED_OUT}?state=s"
    assert (await visitor.browser.get("/end-session")).status_code == 200
    for spoiled in (
        wanted,
        {**wanted, "client_id": "nobody"},
        {**wanted, "client_id": "concord-cli"},
        {**wanted, "id_token_hint": "garbage"},
        {"client_id": "concord-web", "post_logout_redirect_uri": RETURN},
    ):
        assert (await visitor.browser.get("/end-session", params=spoiled)).status_code == 400


# The pages.


async def test_the_page_says_that_it_is_a_demonstration_and_runs_no_script(
    visitor: Visitor,
) -> None:
    page = await visitor.browser.get("/authorize", params=ASKED)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:8080;" in policy  # Else the way back is blocked.
    assert "script" not in policy
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "This is a demonstration." in page.text
    for persona in PERSONAS:
        assert f'<bdi class="name" lang="{persona.name_language}">{persona.name}</bdi>' in page.text
    style = await visitor.browser.get("/style.css")
    assert style.headers["content-type"].startswith("text/css")


async def test_what_the_request_says_is_shown_as_text(visitor: Visitor) -> None:
    hostile = '"><script>alert(1)</script>'
    page = await visitor.browser.get("/authorize", params={**ASKED, "state": hostile, "nonce": hostile})
    assert "<script" not in page.text
    assert Form(page.text).hidden["state"] == hostile


class Form(HTMLParser):
    """What a browser without scripts would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.personas: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = said["action"]
        elif tag == "input":
            self.hidden[said["name"]] = said["value"]
        elif tag == "button":
            self.personas.append(said["value"])
