"""The keys our issuer signs with, fetched when they are needed and no oftener than that.

Who is who: the *issuer* publishes its keys as a JWKS document; a `KeyRing` holds the last one it read; a
*kid* is the name under which a token asks for its key.

What happens, in order:
1. The first token fetches the document; callers that arrive meanwhile wait for that same fetch.
2. For eight minutes it is used as it is. Then the next token starts a fetch without waiting for it; after
   ten minutes tokens do wait, so that a key the issuer has withdrawn ends here within ten minutes.
3. A kid we do not know is fetched for at once (keys rotate), but only when the last fetch ended ten seconds
   ago or more: a flood of invented kids costs the issuer one request in ten seconds, and us a look into a
   dictionary each.
4. When the issuer is away the old document serves for up to a day, nobody waits for what they already have,
   and a fetch is tried every ten seconds. A kid that the old document does not have is then neither good nor
   bad: the answer is 503, not 401, so that nobody is signed out because we cannot know. After a day without
   the issuer nothing is accepted.

Not needed for correctness: the fetch ahead of time (it only saves a wait), and which key comes first in the
document (a kid that is published twice for one algorithm is a fault of the issuer; the first one counts).

Refused when the document is read, whatever a token says later: symmetric keys, keys without a kid, keys for
encryption, RSA below 2048 bits, curves other than P-256 and Ed25519, an `alg` that is not ours, anything a
key cannot be made of.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ssl import SSLContext
from typing import Literal
from urllib.parse import urlsplit

import httpx2
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.util import base64_to_int
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from shared.errors import Permanent, Transient, Unavailable

Fetch = Callable[[str], Awaitable[bytes]]

KEYS_AHEAD_S = 480.0
KEYS_FRESH_S = 600.0
KEYS_STALE_S_MAX = 86_400.0
ASK_AGAIN_S = 10.0
ASK_AGAIN_EMPTY_S = 1.0
FETCH_S_MAX = 5.0
CONNECT_S_MAX = 2.0
DOCUMENT_BYTES_MAX = 262_144
KEYS_MAX = 100
RSA_BITS_MIN = 2048

_DISCOVERY = "/.well-known/openid-configuration"
_OF_TYPE: Mapping[str, frozenset[str]] = {
    "RSA": frozenset({"RS256"}),
    "P-256": frozenset({"ES256"}),
    "Ed25519": frozenset({"EdDSA", "Ed25519"}),
}
ALGORITHMS = frozenset().union(*_OF_TYPE.values())
log = structlog.get_logger()


class KeysUnavailable(Unavailable):
    """The issuer cannot be asked, and what we hold does not decide. The same token may soon be good."""


class KeyRing:
    def __init__(
        self,
        issuer: str,
        *,
        clock_real: Callable[[], datetime],
        jwks_url: str | None = None,
        fetch: Fetch | None = None,
    ) -> None:
        self._issuer, self._jwks_url = issuer, jwks_url
        self._clock_real, self._fetch = clock_real, fetch or fetch_document
        self._published: PublishedKeys | None = None
        self._published_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._asking: asyncio.Task[None] | None = None
        self._away = False

    async def key(self, key_id: str, algorithm: str) -> Key | None:
        """The key to check such a signature with; None where the issuer publishes none for it."""
        age_s = self._age_s()
        if age_s >= KEYS_AHEAD_S:
            must_wait = age_s >= KEYS_STALE_S_MAX or (age_s >= KEYS_FRESH_S and not self._away)
            await self._ask(wait=must_wait)
        if not self.publishes(key_id):
            await self._ask(wait=True)
        published = self._usable()
        if published is None or (self._away and key_id not in published.key_ids):
            raise KeysUnavailable(
                "keys_unavailable", "Who signs people in cannot be reached to check this token; try again"
            )
        return published.usable.get((key_id, algorithm))

    def publishes(self, key_id: str) -> bool:
        """Whether that kid is published at all, be it for another algorithm or for encryption."""
        published = self._usable()
        return published is not None and key_id in published.key_ids

    async def close(self) -> None:
        """Give up a fetch that is still going on."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    def _usable(self) -> "PublishedKeys | None":
        return self._published if self._age_s() < KEYS_STALE_S_MAX else None

    def _age_s(self) -> float:
        return self._since_s(self._published_at)

    def _since_s(self, then: datetime | None) -> float:
        """Seconds between then and now, whichever is later: a clock set back must not make old keys young."""
        return float("inf") if then is None else abs((self._clock_real() - then).total_seconds())

    async def _ask(self, *, wait: bool) -> None:
        if self._asking is None:
            pause_s = ASK_AGAIN_S if self._usable() else ASK_AGAIN_EMPTY_S
            if self._since_s(self._asked_at) < pause_s:
                return
            self._asking = asyncio.create_task(self._refresh(), name="signing keys")
        if wait:
            # Shielded: one caller who gives up must not take the fetch from the others.
            await asyncio.shield(self._asking)

    async def _refresh(self) -> None:
        try:
            self._published = read_keys(await self._fetch(self._jwks_url or await self._discovered()))
            self._published_at, self._away = self._clock_real(), False
        except (Transient, Permanent) as failure:
            self._away = True
            log.warning("signing_keys_not_fetched", issuer=self._issuer, reason=str(failure))
        finally:
            self._asked_at, self._asking = self._clock_real(), None

    async def _discovered(self) -> str:
        body = await self._fetch(self._issuer.rstrip("/") + _DISCOVERY)
        try:
            document = _Discovery.model_validate_json(body)
        except ValidationError:
            raise Permanent("the discovery document cannot be read") from None
        if document.issuer != self._issuer:
            raise Permanent("the discovery document speaks of another issuer")
        if urlsplit(self._issuer).scheme == "https" and urlsplit(document.jwks_uri).scheme != "https":
            raise Permanent("the discovery document names keys without TLS")
        return document.jwks_uri


@dataclass(frozen=True)
class PublishedKeys:
    """What one document says: the keys we would use, by kid and algorithm, and every kid in it."""

    usable: Mapping[tuple[str, str], Key]
    key_ids: frozenset[str]


class _Discovery(BaseModel):
    issuer: str
    jwks_uri: str


class _Document(BaseModel):
    keys: list[JsonValue] = Field(max_length=KEYS_MAX)


class _PublishedKey(BaseModel):
    """A JWK as far as we read it: the public half of a key that has a name."""

    model_config = ConfigDict(strict=True, extra="ignore")

    kty: Literal["RSA", "EC", "OKP"]
    kid: str = Field(min_length=1, max_length=256)
    use: str | None = None
    alg: str | None = None
    key_ops: list[str] | None = None
    crv: str | None = None
    n: str | None = None
    e: str | None = None
    x: str | None = None
    y: str | None = None

    @property
    def algorithms(self) -> frozenset[str]:
        fitting = _OF_TYPE.get(self.kty if self.kty == "RSA" else self.crv or "", frozenset())
        checks_signatures = self.use in (None, "sig") and (self.key_ops is None or "verify" in self.key_ops)
        if not checks_signatures:
            return frozenset()
        return fitting if self.alg is None else fitting & {self.alg}


def read_keys(body: bytes) -> PublishedKeys:
    """One odd key is left out; a document without a single usable one is a broken issuer."""
    try:
        document = _Document.model_validate_json(body)
    except ValidationError:
        raise Permanent("the key document cannot be read") from None
    usable: dict[tuple[str, str], Key] = {}
    key_ids: set[str] = set()
    for entry in document.keys:
        try:
            published = _PublishedKey.model_validate(entry)
        except ValidationError:
            continue
        key_ids.add(published.kid)
        key = _made(published) if published.algorithms else None
        if key is not None:
            for algorithm in published.algorithms:
                usable.setdefault((published.kid, algorithm), key)
    if not usable:
        raise Permanent("the key document holds no key that we could check a signature with")
    return PublishedKeys(usable=usable, key_ids=frozenset(key_ids))


def _made(published: _PublishedKey) -> Key | None:
    public_half = published.model_dump(include={"kty", "crv", "n", "e", "x", "y"}, exclude_none=True)
    try:
        if published.kty == "RSA" and base64_to_int(published.n or "").bit_length() < RSA_BITS_MIN:
            return None
        return JWKRegistry.import_key(public_half)
    except (JoseError, ValueError, UnsupportedAlgorithm):
        return None


async def fetch_document(url: str, *, within_s: float = FETCH_S_MAX) -> bytes:
    """Read a small document: no redirect is followed, neither time nor size is the server's to choose."""
    timeout = httpx2.Timeout(within_s, connect=min(within_s, CONNECT_S_MAX))
    try:
        async with asyncio.timeout(within_s):
            async with httpx2.AsyncClient(
                timeout=timeout, follow_redirects=False, trust_env=False, verify=_tls()
            ) as client:
                return await _read(client, url)
    except (httpx2.TransportError, TimeoutError) as failure:
        raise Transient(f"{type(failure).__name__} from {url}") from None
    except httpx2.InvalidURL:
        raise Permanent(f"{url} is no address") from None


async def _read(client: httpx2.AsyncClient, url: str) -> bytes:
    # Not compressed: otherwise a few bytes could unpack to very many.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code >= 500 or response.status_code == 429:
            raise Transient(f"status {response.status_code} from {url}")
        if response.status_code != 200 or "content-encoding" in response.headers:
            raise Permanent(f"status {response.status_code} from {url}, which is not the document itself")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > DOCUMENT_BYTES_MAX:
                raise Permanent(f"more than {DOCUMENT_BYTES_MAX} bytes from {url}")
        return bytes(body)


@lru_cache(maxsize=1)
def _tls() -> SSLContext:
    """Made once: reading the trust store takes tens of milliseconds of the event loop."""
    return httpx2.create_ssl_context(trust_env=False)
