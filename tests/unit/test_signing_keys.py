"""Signing keys: which are used, and when they are asked for."""

import asyncio
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey

from shared.errors import Permanent, Unavailable
from shared.http.jwks import read_keys
from shared.http.tokens import KeysUnavailable, TokenVerifier
from tests.support.issuer import AUDIENCE, ISSUER, RSA, HandClock, Issuer, refusal_of, signed, verifier_for

pytestmark = pytest.mark.asyncio


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def issuer(clock: HandClock) -> Issuer:
    return Issuer(clock)


async def test_a_token_without_a_kid_is_refused_even_when_there_is_one_key_only(issuer: Issuer) -> None:
    assert await refusal_of(verifier_for(issuer), issuer.token(header={"kid": None})) == "token_key_missing"


async def test_a_key_for_encryption_signs_nothing(issuer: Issuer) -> None:
    issuer.keys["enc"], issuer.said_of["enc"] = RSA, {"use": "enc"}
    assert await refusal_of(verifier_for(issuer), issuer.token("enc")) == "token_key_unfit"
    assert issuer.times_read == 1


@pytest.mark.parametrize(
    "said", [{"key_ops": ["encrypt"]}, {"alg": "RS512"}, {"alg": "RSA-OAEP-256"}, {"use": "tls"}], ids=str
)
async def test_a_key_published_for_something_else_is_refused(issuer: Issuer, said: dict[str, Any]) -> None:
    issuer.keys["other"], issuer.said_of["other"] = RSA, said
    assert await refusal_of(verifier_for(issuer), issuer.token("other")) == "token_key_unfit"


async def test_a_key_of_another_kind_than_the_algorithm_is_refused(issuer: Issuer) -> None:
    forged = signed({"alg": "RS256", "kid": "k1"}, issuer.claims(), RSA)
    assert await refusal_of(verifier_for(issuer), forged) == "token_key_unfit"


async def test_a_kid_shared_by_two_kinds_of_key_is_told_apart_by_the_algorithm(issuer: Issuer) -> None:
    issuer.also = [{**RSA.as_dict(private=False), "kid": "k1"}]
    verifier = verifier_for(issuer)
    assert await verifier.verify(issuer.token())
    assert await verifier.verify(signed({"alg": "RS256", "kid": "k1"}, issuer.claims(), RSA))


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "odd"},
        {"kty": ["EC"], "kid": "odd"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "odd"},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "odd"},
        {"kty": "EC", "crv": "P-256", "kid": "odd"},
        {"kty": "OKP", "crv": "X25519", "x": "AA", "kid": "odd"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "odd"},
        {"kty": "RSA", "n": "!!", "e": "AQAB", "kid": "odd"},
        {"kty": "RSA", "n": "A" * 400, "e": "AQAB", "kid": "odd"},
        {"kty": "RSA", "n": "_" * 100, "e": "AQAB", "kid": "odd"},
        {"kty": "RSA", "kid": "odd"},
        {"kty": "RSA", "n": 5, "e": "AQAB", "kid": "odd"},
        7,
        None,
        "key",
    ],
    ids=lambda odd: json.dumps(odd)[:60],
)
async def test_one_odd_key_in_the_document_spoils_nothing(issuer: Issuer, odd: Any) -> None:
    issuer.also = [odd]
    verifier = verifier_for(issuer)
    assert await verifier.verify(issuer.token())
    read = read_keys(await issuer.fetch(""))
    assert {key_id for key_id, _ in read.usable} == {"k1"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"keys": 7}', b'{"keys": []}', b"\xff", b'{"keys": [7]}']
)
async def test_a_document_without_a_usable_key_is_a_fault_of_the_issuer(body: bytes) -> None:
    with pytest.raises(Permanent):
        read_keys(body)


# When keys are asked for.


async def test_a_hundred_callers_at_once_make_one_fetch(issuer: Issuer) -> None:
    issuer.open.clear()
    verifier, token = verifier_for(issuer), issuer.token()
    callers = [asyncio.create_task(verifier.verify(token)) for _ in range(100)]
    await issuer.was_read(1)
    issuer.open.set()
    assert {claims.subject for claims in await asyncio.gather(*callers)} == {"demo-officer"}
    assert issuer.times_read == 1


async def test_a_caller_who_gives_up_leaves_the_fetch_to_the_others(issuer: Issuer) -> None:
    issuer.open.clear()
    verifier, token = verifier_for(issuer), issuer.token()
    impatient, patient = (asyncio.create_task(verifier.verify(token)) for _ in range(2))
    await issuer.was_read(1)
    impatient.cancel()
    issuer.open.set()
    assert (await patient).subject == "demo-officer"
    assert impatient.cancelled()


async def test_a_rotated_key_is_fetched_when_its_first_token_comes(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    old = issuer.token()
    await verifier.verify(old)
    issuer.keys["k2"] = ECKey.generate_key("P-256")
    issuer.clock.forward(10)
    assert await verifier.verify(issuer.token("k2"))
    assert await verifier.verify(old)
    assert issuer.times_read == 2


async def test_a_flood_of_invented_kids_makes_one_fetch_in_ten_seconds(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    await verifier.verify(issuer.token())
    for seconds, fetches in ((0, 1), (9.999999, 1), (0.000001, 2), (0, 2)):
        issuer.clock.forward(seconds)
        for number in range(50):
            invented = issuer.token(header={"kid": f"invented-{number}"})
            assert await refusal_of(verifier, invented) == "token_key_unknown"
        assert issuer.times_read == fetches


async def test_keys_are_fetched_ahead_of_their_end_without_anybody_waiting(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    await verifier.verify(issuer.token())
    issuer.clock.forward(479.999999)
    await verifier.verify(issuer.token())
    assert issuer.times_read == 1
    issuer.clock.forward(0.000001)
    issuer.open.clear()
    assert await verifier.verify(issuer.token())
    await issuer.was_read(2)
    await verifier.close()


async def test_old_keys_serve_for_a_day_without_the_issuer_and_not_longer(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    await verifier.verify(issuer.token())
    issuer.away = True
    issuer.clock.forward(86_399.999999)
    assert await verifier.verify(issuer.token())
    issuer.clock.forward(0.000001)
    with pytest.raises(KeysUnavailable) as refused:
        await verifier.verify(issuer.token())
    assert (refused.value.status, refused.value.code) == (503, "keys_unavailable")


async def test_without_the_issuer_nobody_waits_and_it_is_asked_every_ten_seconds(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    await verifier.verify(issuer.token())
    issuer.away = True
    issuer.clock.forward(600)
    for fetches in (2, 3, 4):
        for _ in range(20):
            assert await verifier.verify(issuer.token())
        await issuer.was_read(fetches)
        assert await verifier.verify(issuer.token())
        assert issuer.times_read == fetches
        issuer.clock.forward(10)


async def test_an_issuer_that_hangs_after_a_failure_holds_nobody_up(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    await verifier.verify(issuer.token())
    issuer.away = True
    issuer.clock.forward(600)
    await verifier.verify(issuer.token())
    issuer.open.clear()
    issuer.clock.forward(10)
    async with asyncio.timeout(5):
        assert await verifier.verify(issuer.token())
    await issuer.was_read(3)
    await verifier.close()


async def test_an_issuer_with_tls_does_not_lead_to_keys_without(issuer: Issuer) -> None:
    asked: list[str] = []

    async def fetch(url: str) -> bytes:
        asked.append(url)
        return json.dumps({"issuer": ISSUER, "jwks_uri": "http://sign-in.example.org/jwks"}).encode()

    verifier = TokenVerifier(ISSUER, AUDIENCE, issuer.clock, fetch=fetch)
    with pytest.raises(KeysUnavailable):
        await verifier.verify(issuer.token())
    assert asked == [f"{ISSUER}/.well-known/openid-configuration"]


async def test_without_the_issuer_an_unknown_kid_is_undecided_rather_than_refused(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    await verifier.verify(issuer.token())
    issuer.keys["k2"], issuer.away = ECKey.generate_key("P-256"), True
    issuer.clock.forward(10)
    with pytest.raises(KeysUnavailable):
        await verifier.verify(issuer.token("k2"))
    issuer.away = False
    issuer.clock.forward(10)
    assert await verifier.verify(issuer.token("k2"))


async def test_an_issuer_that_was_never_there_is_asked_again_after_a_second(issuer: Issuer) -> None:
    issuer.away = True
    verifier = verifier_for(issuer)
    for fetches in (1, 1, 1):
        with pytest.raises(Unavailable):
            await verifier.verify(issuer.token())
        assert issuer.times_read == fetches
    issuer.away = False
    issuer.clock.forward(1)
    assert await verifier.verify(issuer.token())


async def test_a_clock_that_is_set_back_does_not_make_old_keys_young(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    await verifier.verify(issuer.token())
    issuer.clock.forward(-7200)
    assert await verifier.verify(issuer.token())
    assert issuer.times_read == 2
