"""Keys of systems: shown once, kept as a digest, read strictly."""

import hashlib

import pytest

from shared.errors import Unauthenticated
from shared.http.api_keys import new_api_key, parse_api_key, same_secret
from shared.ids import is_id


def test_a_new_key_is_read_back_as_its_own_id_and_digest() -> None:
    text, key_id, sha256 = new_api_key()
    presented = parse_api_key(text)
    assert (presented.key_id, presented.sha256) == (key_id, sha256)
    assert is_id(key_id, "key")
    assert sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_key_carries_256_random_bits() -> None:
    secrets = {new_api_key().text.removeprefix("ck_")[31:] for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {43}


def test_a_key_is_not_shown_by_accident() -> None:
    key = new_api_key()
    assert key.text not in repr(key)
    assert key.sha256 not in repr(key)


KEY = new_api_key().text


NO_KEYS = {
    "nothing": "",
    "the prefix": "ck_",
    "one character short": KEY[:-1],
    "one character long": KEY + "A",
    "a space before": f" {KEY}",
    "a line end after": f"{KEY}\n",
    "in small letters": KEY.lower(),
    "in capitals": KEY.upper(),
    "another kind of id": KEY.replace("ck_key_", "ck_sys_"),
    "a letter no id has": KEY.replace("key_0", "key_U", 1),
    "padded": KEY[:-1] + "=",
    "not ASCII": KEY[:-1] + "é",
    "very long": "a" * 100_000,
}


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_anything_else_is_not_a_key_of_ours(text: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        parse_api_key(text)
    assert refused.value.code == "api_key_malformed"
    assert not text or text not in str(refused.value)


def test_two_digests_are_the_same_only_when_they_are_equal() -> None:
    first, second = new_api_key(), new_api_key()
    assert same_secret(first.sha256, parse_api_key(first.text).sha256)
    assert not same_secret(first.sha256, second.sha256)
    assert not same_secret("", first.sha256)
