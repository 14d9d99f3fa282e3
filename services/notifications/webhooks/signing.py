"""Standard Webhooks signatures, and how their secrets are kept.

A receiver holds the same secret as we do: `whsec_` and the base64 of 32 random bytes. We sign
`<webhook-id>.<webhook-timestamp>.<body>` with HMAC-SHA256, over the very bytes that are sent, and put the
result in `webhook-signature` as `v1,<base64>`. While a secret is being changed there are several,
separated by spaces, newest first: the receiver accepts any one it knows, so neither side has to switch at
a given second.

At rest a secret is sealed with AES-256-GCM under a key that is not in the database. The text says which
key (`v1.<key id>.<base64>`), so keys can be changed one row at a time; the row's owner is bound into the
seal, so a sealed secret copied into another endpoint's row does not open.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import Invalid, Permanent

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public marker of every such secret
SECRET_BYTES = 32
SECRETS_MAX = 4
TIMESTAMP_TOLERANCE_S = 300
KEY_BYTES = 32

_NONCE_BYTES = 12
_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SEAL_VERSION = "v1"


@dataclass(frozen=True, kw_only=True)
class SealingKeys:
    """Keys by id; `current` seals, all of them open."""

    current: str
    keys: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise ValueError("The current sealing key is not among the keys")
        if any(len(key) != KEY_BYTES for key in self.keys.values()) or any("." in name for name in self.keys):
            raise ValueError(f"A sealing key is {KEY_BYTES} bytes, under an id without a full stop")


class SealBroken(Permanent):
    """A stored secret that does not open: a wrong or missing key, or a row that was tampered with."""


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One signature, `v1,<base64>`, over the bytes that will be sent."""
    if "." in webhook_id or not webhook_id.isascii():
        raise ValueError("A webhook id with a full stop could be signed as another message")
    digest = hmac.digest(_key(secret), b"%b.%d.%b" % (webhook_id.encode(), timestamp, body), hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(
    secrets: Iterable[str], webhook_id: str, timestamp: int, body: bytes
) -> tuple[tuple[str, str], ...]:
    """The three headers of a delivery; several secrets while one replaces another, newest first."""
    live = tuple(secrets)
    if not 0 < len(live) <= SECRETS_MAX:
        raise ValueError(f"1 to {SECRETS_MAX} secrets, not {len(live)}")
    return (
        ("webhook-id", webhook_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(sign(secret, webhook_id, timestamp, body) for secret in live)),
    )


def verify(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, *, now_s: float) -> None:
    """The receiver's side: returns when one of the secrets signed this body lately, else refuses."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        webhook_id, stamp = given["webhook-id"], given["webhook-timestamp"]
        signatures = given["webhook-signature"].encode(errors="replace").split(b" ")
    except KeyError as missing:
        raise Invalid("webhook_headers_missing", f"Header {missing} is missing") from None
    if not _STAMP.fullmatch(stamp) or abs(now_s - int(stamp)) > TIMESTAMP_TOLERANCE_S:
        raise Invalid("webhook_timestamp_refused", "The timestamp is not of these minutes")
    if "." not in webhook_id and webhook_id.isascii():
        expected = [sign(secret, webhook_id, int(stamp), body).encode() for secret in secrets]
        if any(hmac.compare_digest(one, two) for one in expected for two in signatures):
            return
    raise Invalid("webhook_signature_mismatch", "No signature fits this body")


def seal(secret: str, keys: SealingKeys, *, owner: str) -> str:
    """The secret as it may be stored in the owner's row."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(keys.keys[keys.current]).encrypt(nonce, secret.encode(), _bound(keys.current, owner))
    return f"{_SEAL_VERSION}.{keys.current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, keys: SealingKeys, *, owner: str) -> str:
    version, _, rest = sealed.partition(".")
    key_id, _, text = rest.partition(".")
    if version != _SEAL_VERSION or key_id not in keys.keys:
        raise SealBroken(f"sealed under {version}.{key_id}, which is not among the keys")
    try:
        blob = base64.b64decode(text, altchars=b"-_", validate=True)
        nonce, hidden = blob[:_NONCE_BYTES], blob[_NONCE_BYTES:]
        return AESGCM(keys.keys[key_id]).decrypt(nonce, hidden, _bound(key_id, owner)).decode()
    except (binascii.Error, InvalidTag, ValueError):
        raise SealBroken(f"does not open with key {key_id}") from None


def needs_resealing(sealed: str, keys: SealingKeys) -> bool:
    """True for a secret under a key that is no longer the current one."""
    return sealed.split(".")[1:2] != [keys.current]


def _bound(key_id: str, owner: str) -> bytes:
    return f"{_SEAL_VERSION}|{key_id}|{owner}".encode()


def _key(secret: str) -> bytes:
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError("Not a webhook secret")
    try:
        return base64.b64decode(secret[len(SECRET_PREFIX) :], validate=True)
    except binascii.Error:
        raise ValueError("Not a webhook secret") from None
