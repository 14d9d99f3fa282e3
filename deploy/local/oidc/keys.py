"""The provider's keys: one that signs, those it replaced while they are still published, one for encryption.

The key for encryption is never used. Real providers publish one beside the others, and whoever checks a
signature must not take it: it is here so that ours is seen to refuse it.
"""

import json
import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, RSAKey

RETIRED_KEYS_MAX = 20
RSA_BITS = 2048
_ENCRYPTION_ALGORITHM = "RSA-OAEP-256"


class TooManyRotations(Exception):
    """As many old keys are published as there may be: wait until the first has had its grace."""


class KeysFileDamaged(Exception):
    """The file is there and is not what we wrote."""


class TokenNotOurs(Exception):
    """Not signed by a key that we publish."""


@dataclass(frozen=True)
class SigningKey:
    key: Key
    published_until: datetime | None = None

    @property
    def kid(self) -> str:
        return self.key.thumbprint()


class KeyChain:
    def __init__(
        self,
        *,
        algorithm: str,
        grace: timedelta,
        clock_real: Callable[[], datetime],
        file: Path | None = None,
    ) -> None:
        self.algorithm, self._grace, self._clock_real, self._file = algorithm, grace, clock_real, file
        self._retired: list[SigningKey] = []
        if file is not None and file.exists():
            self._load(file)
        else:
            self.current = self._made()
            self.encryption = SigningKey(RSAKey.generate_key(RSA_BITS))
            self._save()

    def rotate(self) -> str:
        """Sign with a new key from now on; the old one stays published for the grace period."""
        self._forget_expired()
        if len(self._retired) >= RETIRED_KEYS_MAX:
            raise TooManyRotations
        self._retired.append(SigningKey(self.current.key, self._clock_real() + self._grace))
        self.current = self._made()
        self._save()
        return self.current.kid

    def sign(self, claims: Mapping[str, Any], *, typ: str, by: SigningKey | None = None) -> str:
        key = by or self.current
        header = {"alg": self.algorithm, "kid": key.kid, "typ": typ}
        return jwt.encode(header, dict(claims), key.key, algorithms=[self.algorithm], default_type=None)

    def check(self, token: str) -> dict[str, Any]:
        """What a token of ours says; its expiry is the caller's to judge."""
        by_kid = {key.kid: key.key for key in self._signing()}
        try:
            # The kid is read by the library before the signature; a stranger's finds no key.
            read = jwt.decode(
                token, lambda signed: by_kid[signed.headers()["kid"]], algorithms=[self.algorithm]
            )
        except (JoseError, ValueError, KeyError, TypeError, RecursionError):
            raise TokenNotOurs from None
        return read.claims

    def published(self) -> dict[str, list[dict[str, Any]]]:
        signing = [_public(key, use="sig", alg=self.algorithm, kid=key.kid) for key in self._signing()]
        encryption = _public(self.encryption, use="enc", alg=_ENCRYPTION_ALGORITHM, kid=self.encryption.kid)
        return {"keys": [encryption, *signing]}

    def _signing(self) -> list[SigningKey]:
        self._forget_expired()
        return [self.current, *self._retired]

    def _forget_expired(self) -> None:
        now = self._clock_real()
        self._retired = [key for key in self._retired if key.published_until and now < key.published_until]

    def _made(self) -> SigningKey:
        if self.algorithm == "ES256":
            return SigningKey(ECKey.generate_key("P-256"))
        return SigningKey(RSAKey.generate_key(RSA_BITS))

    def _save(self) -> None:
        if self._file is None:
            return
        text = json.dumps(
            {
                "algorithm": self.algorithm,
                "encryption": self.encryption.key.as_dict(private=True),
                "current": self.current.key.as_dict(private=True),
                "retired": [
                    {"key": old.key.as_dict(private=True), "until": until.isoformat()}
                    for old in self._retired
                    if (until := old.published_until)
                ],
            }
        )
        _write_whole(self._file, text)

    def _load(self, file: Path) -> None:
        try:
            kept = json.loads(file.read_text())
            if kept["algorithm"] != self.algorithm:
                raise ValueError("keys of another algorithm")
            self.encryption = SigningKey(JWKRegistry.import_key(kept["encryption"]))
            self.current = SigningKey(JWKRegistry.import_key(kept["current"]))
            self._retired = [
                SigningKey(JWKRegistry.import_key(old["key"]), datetime.fromisoformat(old["until"]))
                for old in kept["retired"]
            ]
        except (ValueError, KeyError, TypeError, JoseError) as damage:
            raise KeysFileDamaged(str(file)) from damage


def _public(key: SigningKey, **said: str) -> dict[str, Any]:
    return dict(key.key.as_dict(private=False, **said))


def _write_whole(file: Path, text: str) -> None:
    """All of it or nothing of it, and for our own eyes only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as output:
        output.write(text)
    unfinished.replace(file)
