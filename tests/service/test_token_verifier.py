"""The traps for whoever checks tokens, with the demonstration's sign-in as issuer, over HTTP on loopback."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from joserfc.jwk import RSAKey

from deploy.local.oidc.provider import Provider
from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.ports import free_port
from shared.errors import Permanent, Transient
from shared.http.jwks import DOCUMENT_BYTES_MAX, fetch_document
from shared.http.tokens import KeysUnavailable, TokenVerifier
from tests.support.fixed_server import answering, http_answer
from tests.support.issuer import HandClock, refusal_of, segment, signed, signed_with_hs256

pytestmark = pytest.mark.asyncio

STRANGER = RSAKey.generate_key(2048)


@pytest.fixture
def clock() -> HandClock:
    """The verifier's clock; that of the shared provider stands still at noon."""
    return HandClock()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def provider() -> AsyncIterator[Provider]:
    async with running_provider(OidcSettings(demo=True), clock_real=HandClock()) as running:
        yield running


@pytest.fixture
def verifier(provider: Provider, clock: HandClock) -> TokenVerifier:
    """It finds the keys by discovery."""
    return TokenVerifier(provider.issuer, "concord", clock)


def claims_of(provider: Provider, clock: HandClock, **changed: Any) -> dict[str, Any]:
    now_s = int(clock.now.timestamp())
    good = {"iss": provider.issuer, "aud": "concord", "sub": "demo-officer", "iat": now_s, "exp": now_s + 600}
    return {**good, **changed}


def signed_by(provider: Provider, claims: dict[str, Any]) -> str:
    return provider.keys.sign(claims, typ="at+jwt")


async def test_a_persona_is_recognised_by_its_subject(provider: Provider, verifier: TokenVerifier) -> None:
    claims = await verifier.verify(provider.access_token("delegate-ken"))
    assert claims.subject == "demo-delegate-ken"
    assert claims.issuer == provider.issuer
    assert claims.token_id


async def test_a_forged_signature_is_refused(
    provider: Provider, verifier: TokenVerifier, clock: HandClock
) -> None:
    header = {"alg": "RS256", "kid": provider.keys.current.kid}
    forged = signed(header, claims_of(provider, clock), STRANGER)
    assert await refusal_of(verifier, forged) == "token_signature"


async def test_a_changed_claim_breaks_the_signature(
    provider: Provider, verifier: TokenVerifier, clock: HandClock
) -> None:
    header, _, signature = provider.access_token("auditor").split(".")
    changed = segment(claims_of(provider, clock, sub="demo-administrator"))
    assert await refusal_of(verifier, f"{header}.{changed}.{signature}") == "token_signature"


async def test_the_key_for_encryption_is_refused(
    provider: Provider, verifier: TokenVerifier, clock: HandClock
) -> None:
    token = provider.keys.sign(claims_of(provider, clock), typ="at+jwt", by=provider.keys.encryption)
    assert await refusal_of(verifier, token) == "token_key_unfit"


async def test_a_token_without_kid_is_refused(
    provider: Provider, verifier: TokenVerifier, clock: HandClock
) -> None:
    token = signed({"alg": "RS256"}, claims_of(provider, clock), provider.keys.current.key)
    assert await refusal_of(verifier, token) == "token_key_missing"


async def test_an_unsigned_token_is_refused(
    provider: Provider, verifier: TokenVerifier, clock: HandClock
) -> None:
    header = segment({"alg": "none", "kid": provider.keys.current.kid})
    assert await refusal_of(verifier, f"{header}.{segment(claims_of(provider, clock))}.") == "token_algorithm"


async def test_the_public_key_is_no_secret(
    provider: Provider, verifier: TokenVerifier, clock: HandClock
) -> None:
    published = RSAKey.import_key(provider.keys.current.key.as_dict(private=False))
    header = {"kid": provider.keys.current.kid}
    forged = signed_with_hs256(header, claims_of(provider, clock), published.as_pem())
    assert await refusal_of(verifier, forged) == "token_algorithm"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "http://127.0.0.1:1"}, "token_issuer"),
        ({"aud": "concord-web"}, "token_audience"),
        ({"sub": ""}, "token_claims"),
    ],
    ids=["issuer", "audience", "subject"],
)
async def test_a_genuine_token_for_another_purpose_is_refused(
    provider: Provider, verifier: TokenVerifier, clock: HandClock, changed: dict[str, Any], code: str
) -> None:
    assert await refusal_of(verifier, signed_by(provider, claims_of(provider, clock, **changed))) == code


@pytest.mark.parametrize(
    ("token", "code"),
    [("a" * 8193, "token_too_long"), ("garbage", "token_malformed"), ("", "token_missing")],
    ids=["long", "garbage", "none"],
)
async def test_what_is_no_token_costs_no_request(clock: HandClock, token: str, code: str) -> None:
    nobody_there = TokenVerifier("http://127.0.0.1:1", "concord", clock)
    assert await refusal_of(nobody_there, token) == code


async def test_expiry_is_kept_on_both_sides_of_the_instant(
    provider: Provider, verifier: TokenVerifier, clock: HandClock
) -> None:
    token = provider.access_token("officer")
    clock.forward(629.999999)
    assert await verifier.verify(token)
    clock.forward(0.000001)
    assert await refusal_of(verifier, token) == "token_expired"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_beginning_is_kept_on_both_sides_of_the_instant(
    provider: Provider, verifier: TokenVerifier, clock: HandClock, claim: str
) -> None:
    begins_s = int(clock.now.timestamp()) + 60
    token = signed_by(provider, claims_of(provider, clock, **{claim: begins_s}))
    clock.forward(29.999999)
    assert await refusal_of(verifier, token) == "token_not_yet_valid"
    clock.forward(0.000001)
    assert await verifier.verify(token)


async def test_keys_rotate_and_the_old_one_ends_after_its_grace(clock: HandClock) -> None:
    settings = OidcSettings(demo=True, oidc_key_grace_s=900)
    async with running_provider(settings, clock_real=clock) as rotating:
        verifier = TokenVerifier(rotating.issuer, "concord", clock)
        a_day_on_s = int(clock.now.timestamp()) + 86_400
        lasting = signed_by(rotating, claims_of(rotating, clock, exp=a_day_on_s))
        assert await verifier.verify(lasting)
        rotating.rotate_keys()
        clock.forward(10)
        assert await verifier.verify(rotating.access_token("officer"))
        clock.forward(880)
        assert await verifier.verify(lasting)
        clock.forward(600)
        assert await refusal_of(verifier, lasting) == "token_key_unknown"


async def test_a_thundering_herd_makes_one_fetch(provider: Provider, clock: HandClock) -> None:
    fetched: list[str] = []

    async def counted(url: str) -> bytes:
        fetched.append(url)
        return await fetch_document(url)

    verifier = TokenVerifier(provider.issuer, "concord", clock, f"{provider.issuer}/jwks", counted)
    tokens = [provider.access_token("officer") for _ in range(50)]
    assert len(await asyncio.gather(*map(verifier.verify, tokens))) == 50
    assert fetched == [f"{provider.issuer}/jwks"]


async def test_keys_that_were_down_and_come_up_are_found(clock: HandClock) -> None:
    port = free_port()
    settings = OidcSettings(demo=True, oidc_port=port)
    verifier = TokenVerifier(f"http://127.0.0.1:{port}", "concord", clock)
    async with running_provider(settings, clock_real=clock) as first:
        token = first.access_token("officer")
    with pytest.raises(KeysUnavailable):
        await verifier.verify(token)
    async with running_provider(settings, clock_real=clock) as second:
        clock.forward(1)
        fresh = second.access_token("officer")
        assert await verifier.verify(fresh)
    clock.forward(599)
    assert await verifier.verify(fresh)  # Away again: what was read serves on.


async def test_a_discovery_document_of_another_issuer_is_not_believed(
    provider: Provider, clock: HandClock
) -> None:
    by_another_name = TokenVerifier(provider.issuer.replace("127.0.0.1", "localhost"), "concord", clock)
    with pytest.raises(KeysUnavailable):
        await by_another_name.verify(provider.access_token("officer"))


# What a server may do to us.

BOMB = gzip.compress(b" " * 10_000_000)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (http_answer("302 Found", location="http://127.0.0.1:1/"), Permanent),
        (http_answer("404 Not Found"), Permanent),
        (http_answer("500 Internal Server Error"), Transient),
        (http_answer("503 Service Unavailable"), Transient),
        (http_answer("429 Too Many Requests"), Transient),
        (http_answer("200 OK", BOMB, content_encoding="gzip"), Permanent),
        (http_answer("200 OK", b" " * (DOCUMENT_BYTES_MAX + 1)), Permanent),
        (b"no HTTP at all\r\n\r\n", Transient),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", Transient),
        (b"", Transient),
    ],
    ids=["redirect", "404", "500", "503", "429", "bomb", "huge", "no HTTP", "cut off", "nothing"],
)
async def test_an_answer_that_is_not_a_small_document_is_none(
    answer: bytes, failure: type[Exception]
) -> None:
    async with answering(answer) as address:
        with pytest.raises(failure):
            await fetch_document(f"{address}/jwks")


async def test_a_document_of_the_largest_size_is_read() -> None:
    async with answering(http_answer("200 OK", b" " * DOCUMENT_BYTES_MAX)) as address:
        assert len(await fetch_document(f"{address}/jwks")) == DOCUMENT_BYTES_MAX


@pytest.mark.parametrize(
    "pieces", [(), (b"HTTP/1.1 200 OK\r\n",), (b"HTTP/1.1 200 OK\r\n\r\n{",)], ids=["mute", "head", "body"]
)
async def test_a_server_that_hangs_is_given_up(pieces: tuple[bytes, ...], clock: HandClock) -> None:
    async with answering(*pieces, hang=True) as address:
        fetch = partial(fetch_document, within_s=0.1)
        verifier = TokenVerifier(address, "concord", clock, f"{address}/jwks", fetch)
        token = f"{segment({'alg': 'RS256', 'kid': 'k1'})}.{segment({})}.AA"
        with pytest.raises(KeysUnavailable):
            await verifier.verify(token)


async def test_a_document_that_trickles_in_is_given_up_in_all() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\n\r\n", drip=True) as address:
        async with asyncio.timeout(5):
            with pytest.raises(Transient):
                await fetch_document(address, within_s=0.2)


async def test_nobody_listening_and_no_address_are_told_apart() -> None:
    with pytest.raises(Transient):
        await fetch_document(f"http://127.0.0.1:{free_port()}/jwks")
    with pytest.raises(Permanent):
        await fetch_document("http://[::1/jwks")
