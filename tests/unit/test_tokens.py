"""Bearer tokens: what is refused and why, without a network. tests/service has the traps over HTTP."""

import logging
from typing import Any

import pytest
import structlog
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key

from shared.errors import Unauthenticated, Unavailable
from shared.http.tokens import Claims, KeysUnavailable, TokenRefused
from tests.support.issuer import (
    AUDIENCE,
    ED25519,
    ISSUER,
    NOON,
    RSA,
    HandClock,
    Issuer,
    refusal_of,
    segment,
    signed,
    signed_with_hs256,
    verifier_for,
)

pytestmark = pytest.mark.asyncio


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def issuer(clock: HandClock) -> Issuer:
    return Issuer(clock)


async def test_a_good_token_says_whose_it_is(issuer: Issuer) -> None:
    claims = await verifier_for(issuer).verify(issuer.token())
    assert claims == Claims("demo-officer", ISSUER, NOON.replace(minute=10), "t1")


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (ED25519, "Ed25519")], ids=["RS256", "Ed25519"]
)
async def test_every_accepted_algorithm_is_accepted(issuer: Issuer, key: Key, algorithm: str) -> None:
    issuer.keys["other"] = key
    token = issuer.token("other", header={"alg": algorithm})
    assert (await verifier_for(issuer).verify(token)).subject == "demo-officer"


async def test_the_older_name_of_ed25519_is_accepted_without_a_warning(issuer: Issuer) -> None:
    issuer.keys["other"] = ED25519
    with pytest.warns(SecurityWarning):  # Of the library, when it signs; verifying says nothing.
        token = issuer.token("other", header={"alg": "EdDSA"})
    assert (await verifier_for(issuer).verify(token)).subject == "demo-officer"


QUOTED = '"alg b64"'
MALFORMED = {
    "no dots": "abc",
    "an encrypted token": "a.b.c.d.e",
    "nothing but dots": "..",
    "no base64": "%%.%%.%%",
    "not ASCII": "ä.ö.ü",
    "a lone surrogate": "\ud800.a.b",
    "a header that is a number": f"{segment(7)}.{segment({})}.AA",
    "a header that is a text": f"{segment(QUOTED)}.{segment({})}.AA",
    "a header that is a list": f"{segment(['alg'])}.{segment({})}.AA",
    "a header without an algorithm": f"{segment({'kid': 'k1'})}.{segment({})}.AA",
    "an algorithm that is a number": f"{segment({'alg': 7, 'kid': 'k1'})}.{segment({})}.AA",
    "a kid that is a number": f"{segment({'alg': 'ES256', 'kid': 7})}.{segment({})}.AA",
    "an empty kid": f"{segment({'alg': 'ES256', 'kid': ''})}.{segment({})}.AA",
    "a header nested too deep": f"{segment('[' * 1500)}.{segment({})}.AA",
    "a padded segment": f"{segment({'alg': 'ES256', 'kid': 'k1'})}=.{segment({})}.AA",
    "a critical extension": f"{segment({'alg': 'ES256', 'kid': 'k1', 'crit': ['exp']})}.{segment({})}.AA",
    "crit that is a number": f"{segment({'alg': 'ES256', 'kid': 'k1', 'crit': 1})}.{segment({})}.AA",
    "crit that is null": f"{segment({'alg': 'ES256', 'kid': 'k1', 'crit': None})}.{segment({})}.AA",
    "an unencoded payload": f"{segment({'alg': 'ES256', 'kid': 'k1', 'b64': False})}.{segment({})}.AA",
    "a key address that is a number": f"{segment({'alg': 'ES256', 'kid': 'k1', 'jku': 7})}.{segment({})}.AA",
}


@pytest.mark.parametrize("token", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_signed_token_is_malformed(issuer: Issuer, token: str) -> None:
    assert await refusal_of(verifier_for(issuer), token) == "token_malformed"


async def test_no_token_is_missing_rather_than_malformed(issuer: Issuer) -> None:
    assert await refusal_of(verifier_for(issuer), "") == "token_missing"


async def test_a_token_is_too_long_beyond_8192_bytes_and_not_at_them(issuer: Issuer) -> None:
    verifier = verifier_for(issuer)
    assert await refusal_of(verifier, "a" * 8192) == "token_malformed"
    assert await refusal_of(verifier, "a" * 8193) == "token_too_long"
    assert issuer.times_read == 0


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", "ES256K", "dir", ""])
async def test_other_algorithms_are_refused_before_any_key_is_fetched(issuer: Issuer, algorithm: str) -> None:
    token = f"{segment({'alg': algorithm, 'kid': 'k1'})}.{segment(issuer.claims())}."
    assert await refusal_of(verifier_for(issuer), token) == "token_algorithm"
    assert issuer.times_read == 0


async def test_the_public_key_is_no_secret_to_sign_with(issuer: Issuer) -> None:
    issuer.keys["k1"] = RSA
    forged = signed_with_hs256({"kid": "k1"}, issuer.claims(), RSA.as_pem(private=False))
    assert await refusal_of(verifier_for(issuer), forged) == "token_algorithm"


async def test_a_key_offered_by_the_token_itself_is_not_read(issuer: Issuer) -> None:
    own = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "kid": "k1", "jwk": own.as_dict(private=False)}
    assert await refusal_of(verifier_for(issuer), signed(header, issuer.claims(), own)) == "token_signature"


async def test_an_unknown_word_in_the_header_is_left_unread(issuer: Issuer) -> None:
    good = issuer.token(header={"x-of-another-time": [1, {"a": None}]})
    assert (await verifier_for(issuer).verify(good)).subject == "demo-officer"


@pytest.mark.parametrize(
    ("said", "code"), [("JWT", None), (None, None), ("AT+JWT", None), ("logout+jwt", "token_type")]
)
async def test_only_an_access_token_is_an_access_token(
    issuer: Issuer, said: str | None, code: str | None
) -> None:
    token = issuer.token(header={"typ": said})
    if code is None:
        assert await verifier_for(issuer).verify(token)
    else:
        assert await refusal_of(verifier_for(issuer), token) == code


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": "a\nb"},
        {"sub": "a" * 256},
        {"sub": 7},
        {"exp": None},
        {"exp": "2027-03-01"},
        {"exp": True},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"exp": -1},
        {"iat": "now"},
        {"nbf": {}},
        {"aud": None},
        {"aud": {"concord": 1}},
        {"iss": None},
        {"jti": 7},
    ],
    ids=str,
)
async def test_a_claim_that_is_missing_or_not_what_it_must_be_is_refused(
    issuer: Issuer, changed: dict[str, Any]
) -> None:
    assert await refusal_of(verifier_for(issuer), issuer.token(**changed)) == "token_claims"


@pytest.mark.parametrize("audience", ["concord-web", "Concord", "concord ", ["other"], []])
async def test_a_token_for_somebody_else_is_refused(issuer: Issuer, audience: object) -> None:
    assert await refusal_of(verifier_for(issuer), issuer.token(aud=audience)) == "token_audience"


async def test_a_token_for_several_that_names_us_is_for_us(issuer: Issuer) -> None:
    assert await verifier_for(issuer).verify(issuer.token(aud=["other", AUDIENCE]))


@pytest.mark.parametrize("other", [f"{ISSUER}/", ISSUER.upper(), "https://example.org"])
async def test_the_issuer_is_compared_exactly(issuer: Issuer, other: str) -> None:
    assert await refusal_of(verifier_for(issuer), issuer.token(iss=other)) == "token_issuer"


# Both sides of every instant. The leeway is 30 seconds.


async def test_a_token_expires_thirty_seconds_after_its_expiry_to_the_instant(issuer: Issuer) -> None:
    verifier, token = verifier_for(issuer), issuer.token()
    issuer.clock.forward(629.999999)
    assert await verifier.verify(token)
    issuer.clock.forward(0.000001)
    assert await refusal_of(verifier, token) == "token_expired"
    assert await refusal_of(verifier_for(issuer), token) == "token_expired"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_begins_thirty_seconds_before_its_beginning_to_the_instant(
    issuer: Issuer, claim: str
) -> None:
    begins: dict[str, Any] = {claim: int(NOON.timestamp()) + 100}
    token = issuer.token(**begins)
    issuer.clock.forward(69.999999)
    assert await refusal_of(verifier_for(issuer), token) == "token_not_yet_valid"
    issuer.clock.forward(0.000001)
    assert await verifier_for(issuer).verify(token)


async def test_a_remembered_token_still_expires(issuer: Issuer) -> None:
    verifier, token = verifier_for(issuer, leeway_s=0), issuer.token(exp=int(NOON.timestamp()) + 5)
    assert await verifier.verify(token)
    issuer.clock.forward(4.999999)
    assert await verifier.verify(token)
    issuer.clock.forward(0.000001)
    assert await refusal_of(verifier, token) == "token_expired"


async def test_a_remembered_token_ends_with_its_key(issuer: Issuer) -> None:
    verifier, token = verifier_for(issuer), issuer.token(exp=int(NOON.timestamp()) + 86_400)
    assert await verifier.verify(token)
    issuer.keys = {"k2": ECKey.generate_key("P-256")}
    issuer.clock.forward(600)
    assert await refusal_of(verifier, token) == "token_key_unknown"


async def test_a_remembered_token_does_not_survive_its_keys_being_replaced_under_the_same_name(
    issuer: Issuer,
) -> None:
    verifier, token = verifier_for(issuer), issuer.token(exp=int(NOON.timestamp()) + 86_400)
    assert await verifier.verify(token)
    issuer.keys["k1"] = ECKey.generate_key("P-256")
    issuer.clock.forward(600)
    assert await refusal_of(verifier, token) == "token_signature"


async def test_the_memory_of_tokens_is_bounded_and_forgets_the_longest_unused(issuer: Issuer) -> None:
    verifier = verifier_for(issuer, verified_max=2)
    first, second, third = (issuer.token(jti=name) for name in ("one", "two", "three"))
    for token in (first, second, first, third):
        await verifier.verify(token)
    remembered = [known.claims.token_id for known in verifier._verified.values()]
    assert remembered == ["one", "three"]


async def test_neither_a_refusal_nor_the_log_holds_any_part_of_the_token(
    issuer: Issuer, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    issuer.away = True
    tokens = [issuer.token(), issuer.token(header={"kid": "secret-kid"}), "secret.secret.secret", "secret"]
    said = []
    with structlog.testing.capture_logs() as logged:
        for token in tokens:
            with pytest.raises((TokenRefused, KeysUnavailable)) as refused:
                await verifier_for(issuer).verify(token)
            said += [
                repr(refused.value),
                str(refused.value),
                str(refused.value.details),
                repr(refused.value.__cause__),
            ]
    text = " ".join([*said, repr(logged), caplog.text, *capsys.readouterr()])
    assert logged
    assert not any(part in text for token in tokens for part in token.split("."))
    assert issuer.token() not in repr(vars(verifier_for(issuer)))


async def test_a_verified_token_is_remembered_by_its_digest_only(issuer: Issuer) -> None:
    verifier, token = verifier_for(issuer), issuer.token()
    await verifier.verify(token)
    assert token not in repr(verifier._verified)


async def test_refusals_are_of_the_house(issuer: Issuer) -> None:
    assert issubclass(TokenRefused, Unauthenticated)
    assert issubclass(KeysUnavailable, Unavailable)
