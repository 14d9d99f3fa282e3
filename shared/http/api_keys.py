"""Keys of systems: `ck_<key id>_<secret>`, the secret being 256 random bits, shown once.

Only the SHA-256 of the whole text is kept. A slow hash is for secrets that people choose; this one cannot be
guessed, and a slow hash would cost 40 ms a request. The id in the text finds the record, so nothing is
searched by a secret.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from shared.errors import Unauthenticated
from shared.ids import is_id, new_id

SECRET_BYTES = 32
_SHAPE = re.compile(r"ck_(key_[0-9A-Z]{26})_[A-Za-z0-9_-]{43}")


class NewApiKey(NamedTuple):
    """`text` goes to its owner and nowhere else; `key_id` and `sha256` are what is kept."""

    text: str
    key_id: str
    sha256: str

    def __repr__(self) -> str:
        return f"NewApiKey(key_id={self.key_id!r})"


class PresentedApiKey(NamedTuple):
    key_id: str
    sha256: str


def new_api_key() -> NewApiKey:
    key_id = new_id("key")
    text = f"ck_{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    return NewApiKey(text, key_id, _sha256(text))


def parse_api_key(text: str) -> PresentedApiKey:
    shape = _SHAPE.fullmatch(text)
    if shape is None or not is_id(shape[1], "key"):
        raise Unauthenticated("api_key_malformed", "This is not an API key of ours")
    return PresentedApiKey(shape[1], _sha256(text))


def same_secret(kept_sha256: str, presented_sha256: str) -> bool:
    """Compares in constant time: how long it takes says nothing about where the two differ."""
    return hmac.compare_digest(kept_sha256.encode(), presented_sha256.encode())


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
