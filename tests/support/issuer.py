"""An issuer of tokens in memory: real keys, real signatures, and a key document without a network."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from shared.errors import Transient
from shared.http.tokens import TokenRefused, TokenVerifier

ISSUER = "https://sign-in.example.org"
AUDIENCE = "concord"
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
RSA = RSAKey.generate_key(2048)
ED25519 = OKPKey.generate_key("Ed25519")
ALGORITHM_OF = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}


class HandClock:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Issuer:
    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.keys: dict[str, Key] = {"k1": ECKey.generate_key("P-256")}
        self.said_of: dict[str, dict[str, Any]] = {}
        self.also: list[Any] = []
        self.times_read = 0
        self.away = False
        self.open = asyncio.Event()
        self.open.set()
        self._read = asyncio.Event()

    async def fetch(self, url: str) -> bytes:
        self.times_read += 1
        self._read.set()
        await self.open.wait()
        if self.away:
            raise Transient("the issuer is away")
        published = [
            {**key.as_dict(private=False), "kid": key_id, **self.said_of.get(key_id, {})}
            for key_id, key in self.keys.items()
        ]
        return json.dumps({"keys": [*published, *self.also]}).encode()

    async def was_read(self, times: int) -> None:
        while self.times_read < times:
            self._read.clear()
            await self._read.wait()

    def token(self, key_id: str = "k1", *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A good token, but for what the test says; a claim of None is left out."""
        key = self.keys[key_id]
        algorithm = ALGORITHM_OF[key.key_type]
        said = {"alg": algorithm, "kid": key_id, "typ": "at+jwt", **(header or {})}
        return signed(said, self.claims(**claims), key)

    def claims(self, **changed: Any) -> dict[str, Any]:
        now_s = int(self.clock.now.timestamp())
        good = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "demo-officer",
            "iat": now_s,
            "exp": now_s + 600,
            "jti": "t1",
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: Key) -> str:
    """Signed with whatever algorithm the header names, sensible or not."""
    spoken = {name: value for name, value in header.items() if value is not None}
    free = JWSRegistry(algorithms=[spoken["alg"]], strict_check_header=False)
    return jwt.encode(spoken, dict(claims), key, registry=free, default_type=None)


def signed_with_hs256(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    """By hand: the library rightly refuses to take a public key for a secret."""
    text = f"{segment({**header, 'alg': 'HS256'})}.{segment(claims)}"
    mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def segment(content: object) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def verifier_for(issuer: Issuer, **options: Any) -> TokenVerifier:
    jwks_url = f"{ISSUER}/jwks"
    return TokenVerifier(ISSUER, AUDIENCE, issuer.clock, jwks_url=jwks_url, fetch=issuer.fetch, **options)


async def refusal_of(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(TokenRefused) as refused:
        await verifier.verify(token)
    assert refused.value.status == 401
    return refused.value.code
