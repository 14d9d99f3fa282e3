"""Standard Webhooks signatures, judged by the reference library, and secrets sealed at rest."""

import os
import time
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.notifications.webhooks.signing import (
    SECRET_BYTES,
    SECRETS_MAX,
    TIMESTAMP_TOLERANCE_S,
    SealBroken,
    SealingKeys,
    needs_resealing,
    new_secret,
    seal,
    sign,
    signed_headers,
    unseal,
    verify,
)
from shared.errors import Invalid

SECRET = "whsec_" + b64encode(b"k" * 32).decode()
OTHER = "whsec_" + b64encode(b"o" * 32).decode()
ID = "01938a3c-0000-7000-8000-000000000000"
AT = 1_800_000_000
KEYS = SealingKeys(current="2027", keys={"2026": b"a" * 32, "2027": b"b" * 32})


def verdict(headers: dict[str, str], body: bytes = b"{}", *, now_s: float = AT) -> str:
    """What a receiver that holds SECRET makes of a request: "signed", or the refusal's code."""
    try:
        verify((SECRET,), headers, body, now_s=now_s)
    except Invalid as refusal:
        return refusal.code
    return "signed"


webhook_ids = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="."), min_size=1)


def test_a_new_secret_is_32_random_bytes_behind_the_public_marker() -> None:
    first, second = new_secret(), new_secret()
    assert first.startswith("whsec_")
    assert len(b64decode(first.removeprefix("whsec_"))) == SECRET_BYTES
    assert first != second


def test_a_signature_is_the_one_the_standard_gives_as_its_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(webhook_id=webhook_ids, timestamp=st.integers(0, 4_000_000_000), body=st.text())
def test_every_signature_is_the_one_the_reference_library_makes(
    webhook_id: str, timestamp: int, body: str
) -> None:
    reference = Webhook(SECRET).sign(webhook_id, datetime.fromtimestamp(timestamp, UTC), body)
    assert sign(SECRET, webhook_id, timestamp, body.encode()) == reference


def test_a_receiver_with_the_reference_library_accepts_what_we_send() -> None:
    headers = dict(signed_headers((SECRET,), ID, int(time.time()), b'{"a": 1}'))
    assert Webhook(SECRET).verify(b'{"a": 1}', headers) == {"a": 1}


def test_a_receiver_with_the_reference_library_refuses_another_body() -> None:
    headers = dict(signed_headers((SECRET,), ID, int(time.time()), b'{"a": 1}'))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(b'{"a": 2}', headers)


@pytest.mark.parametrize("known", [SECRET, OTHER])
def test_while_a_secret_is_changed_a_receiver_may_know_either(known: str) -> None:
    headers = dict(signed_headers((OTHER, SECRET), ID, int(time.time()), b"{}"))
    assert headers["webhook-signature"].count("v1,") == 2
    assert Webhook(known).verify(b"{}", headers) == {}


def test_the_newest_secret_signs_first() -> None:
    headers = dict(signed_headers((OTHER, SECRET), ID, AT, b"{}"))
    assert headers["webhook-signature"].split(" ")[0] == sign(OTHER, ID, AT, b"{}")


def test_the_most_secrets_that_may_sign_is_bounded() -> None:
    assert signed_headers((SECRET,) * SECRETS_MAX, ID, AT, b"{}")
    for count in (0, SECRETS_MAX + 1):
        with pytest.raises(ValueError, match="secrets"):
            signed_headers((SECRET,) * count, ID, AT, b"{}")


def test_an_id_that_could_pass_for_another_message_is_not_signed() -> None:
    # "a.1" at 2 and "a" at "1.2" would be signed as the same text.
    with pytest.raises(ValueError, match="full stop"):
        sign(SECRET, "a.1", AT, b"{}")


@pytest.mark.parametrize(
    "secret", ["", "whsec", b64encode(b"k" * 32).decode(), "whsec_not base64", "whsec_a"]
)
def test_what_is_not_a_secret_does_not_sign(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        sign(secret, ID, AT, b"{}")


@given(body=st.binary(), drift_s=st.integers(-TIMESTAMP_TOLERANCE_S, TIMESTAMP_TOLERANCE_S))
def test_what_was_signed_lately_is_verified(body: bytes, drift_s: int) -> None:
    headers = dict(signed_headers((OTHER, SECRET), ID, AT, body))
    assert verdict(headers, body, now_s=AT + drift_s) == "signed"


def test_header_names_are_read_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed_headers((SECRET,), ID, AT, b"{}")}
    assert verdict(headers) == "signed"


@pytest.mark.parametrize("drift_s", [-TIMESTAMP_TOLERANCE_S - 1, TIMESTAMP_TOLERANCE_S + 1])
def test_a_timestamp_too_far_from_now_is_refused(drift_s: int) -> None:
    headers = dict(signed_headers((SECRET,), ID, AT, b"{}"))
    assert verdict(headers, now_s=AT + drift_s) == "webhook_timestamp_refused"


@pytest.mark.parametrize("stamp", ["", "-1", "１", "1e9", "9" * 5000, str(AT) + ".5"])
def test_a_timestamp_that_is_not_a_whole_number_is_refused(stamp: str) -> None:
    headers = {**dict(signed_headers((SECRET,), ID, AT, b"{}")), "webhook-timestamp": stamp}
    assert verdict(headers) == "webhook_timestamp_refused"


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("webhook-id", "another"),
        ("webhook-id", "with.stop"),
        ("webhook-id", "é"),
        ("webhook-timestamp", str(AT + 1)),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,AAAA v1a,AAAA \ud800"),
    ],
)
def test_a_changed_header_breaks_the_signature(changed: str, value: str) -> None:
    headers = {**dict(signed_headers((SECRET,), ID, AT, b"{}")), changed: value}
    assert verdict(headers) == "webhook_signature_mismatch"


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed(missing: str) -> None:
    headers = {n: v for n, v in signed_headers((SECRET,), ID, AT, b"{}") if n != missing}
    assert verdict(headers) == "webhook_headers_missing"


def test_a_sealed_secret_opens_for_its_owner_and_does_not_show_itself() -> None:
    sealed = seal(SECRET, KEYS, owner="whe_1")
    assert sealed.startswith("v1.2027.")
    assert SECRET not in sealed and SECRET.removeprefix("whsec_") not in sealed
    assert unseal(sealed, KEYS, owner="whe_1") == SECRET


def test_sealing_the_same_secret_twice_shows_nothing_in_common() -> None:
    assert seal(SECRET, KEYS, owner="whe_1") != seal(SECRET, KEYS, owner="whe_1")


def test_a_secret_sealed_under_an_older_key_still_opens_and_asks_to_be_sealed_anew() -> None:
    older = SealingKeys(current="2026", keys=KEYS.keys)
    sealed = seal(SECRET, older, owner="whe_1")
    assert unseal(sealed, KEYS, owner="whe_1") == SECRET
    assert needs_resealing(sealed, KEYS)
    assert not needs_resealing(seal(SECRET, KEYS, owner="whe_1"), KEYS)


def test_a_sealed_secret_does_not_open_in_another_endpoints_row() -> None:
    with pytest.raises(SealBroken):
        unseal(seal(SECRET, KEYS, owner="whe_1"), KEYS, owner="whe_2")


def test_a_sealed_secret_does_not_open_under_another_keys_name() -> None:
    sealed = seal(SECRET, KEYS, owner="whe_1").replace("v1.2027.", "v1.2026.")
    with pytest.raises(SealBroken):
        unseal(sealed, KEYS, owner="whe_1")


def test_no_character_of_a_sealed_secret_can_be_changed() -> None:
    sealed = seal(SECRET, KEYS, owner="whe_1")
    # The last group of four is left out: base64 has bits there that mean nothing.
    for place in range(len("v1.2027."), len(sealed) - 4):
        other = "A" if sealed[place] != "A" else "B"
        with pytest.raises(SealBroken):
            unseal(sealed[:place] + other + sealed[place + 1 :], KEYS, owner="whe_1")


@pytest.mark.parametrize(
    "text", ["", "v1", "v1.2027", "v1.2027.", "v1.2027.!!!", "v2.2027.AAAA", "v1.1999.AAAA"]
)
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(SealBroken):
        unseal(text, KEYS, owner="whe_1")


@pytest.mark.parametrize(
    "keys",
    [
        {"k": os.urandom(31)},
        {"k": os.urandom(33)},
        {"other": os.urandom(32)},
        {"k": b"x" * 32, "a.b": b"y" * 32},
    ],
)
def test_sealing_keys_are_32_bytes_under_plain_names_and_one_is_current(keys: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="key"):
        SealingKeys(current="k", keys=keys)
