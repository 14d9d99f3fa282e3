"""Whether a bearer token is good, and who it says its bearer is. What they may do, the directory says.

What happens, in order, each step refusing with a code of its own:
1. Size and shape, before anything is parsed.
2. A token that was verified before is known by its SHA-256 (the token itself is kept nowhere and never
   logged): it is good while the issuer still publishes the very key it was checked with, until it expires.
3. The header: one of the few algorithms that cannot be forged with a public key, a `kid`, nothing that we
   would have to understand and do not (`crit`), a type that an access token may have.
4. The key, from the issuer's published keys and from nowhere else: what a header offers as a key (`jwk`,
   `jku`, `x5c`) is not read.
5. The signature. Only now is what the token says looked at.
6. Issuer and audience, exactly; then expiry, not-before and issued-at, with a little leeway for clocks that
   differ.

Not needed for correctness: the memory of verified tokens. It saves about a tenth of a millisecond a request.

An ID token is no access token: its audience is the client, so this API's audience must not be a client's id.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from shared.errors import Unauthenticated
from shared.http.jwks import ALGORITHMS, Fetch, KeyRing, KeysUnavailable

__all__ = ["Claims", "KeysUnavailable", "TokenRefused", "TokenVerifier"]

TOKEN_BYTES_MAX = 8_192
LEEWAY_S = 30
VERIFIED_MAX = 10_000
SUBJECT_LENGTH_MAX = 255
_LAST_INSTANT_S = 253_402_300_799  # The end of the year 9999, after which there is no datetime.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})


class TokenRefused(Unauthenticated):
    """The token is not good. Neither code nor message holds any part of it."""


@dataclass(frozen=True)
class Claims:
    """What a good token says: `subject` is opaque, the directory knows whose it is."""

    subject: str
    issuer: str
    expires_at: datetime
    token_id: str | None


class TokenVerifier:
    def __init__(
        self,
        issuer: str,
        audience: str,
        clock_real: Callable[[], datetime],
        jwks_url: str | None = None,
        fetch: Fetch | None = None,
        leeway_s: int = LEEWAY_S,
        verified_max: int = VERIFIED_MAX,
    ) -> None:
        self._issuer, self._audience = issuer, audience
        self._clock_real, self._leeway = clock_real, timedelta(seconds=leeway_s)
        self._keys = KeyRing(issuer, clock_real=clock_real, jwks_url=jwks_url, fetch=fetch)
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._verified_max = verified_max

    async def verify(self, token: str) -> Claims:
        """Who bears it; raises TokenRefused, or KeysUnavailable when that cannot be known now."""
        _check_shape(token)
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is None or await self._keys.key(known.key_id, known.algorithm) is not known.key:
            self._verified.pop(digest, None)
            known = await self._verify_anew(token)
        if self._expired(known.claims):
            self._verified.pop(digest, None)
            raise TokenRefused("token_expired", "The token has expired")
        self._remember(digest, known)
        return known.claims

    async def close(self) -> None:
        await self._keys.close()

    async def _verify_anew(self, token: str) -> "_Verified":
        signed, header = _read(token)
        key_id = header.kid
        if key_id is None:
            raise TokenRefused("token_key_missing", "The token does not name the key it is signed with")
        key = await self._keys.key(key_id, header.alg)
        if key is None and self._keys.publishes(key_id):
            raise TokenRefused("token_key_unfit", "The key that the token names is not for such signatures")
        if key is None:
            raise TokenRefused(
                "token_key_unknown", "The issuer does not publish the key that the token names"
            )
        _check_signature(signed, key)
        return _Verified(self._accepted(signed.payload), key_id, header.alg, key)

    def _accepted(self, payload: bytes | None) -> Claims:
        try:
            said = _Said.model_validate_json(payload or b"")
        except ValidationError:
            raise TokenRefused(
                "token_claims", "The token lacks a claim we need, or one is not what it must be"
            ) from None
        if said.iss != self._issuer:
            raise TokenRefused("token_issuer", "The token was issued by somebody else")
        if self._audience not in ([said.aud] if isinstance(said.aud, str) else said.aud):
            raise TokenRefused("token_audience", "The token is meant for somebody else")
        claims = Claims(said.sub, said.iss, _instant(said.exp), said.jti)
        latest = self._clock_real() + self._leeway
        if any(begins is not None and latest < _instant(begins) for begins in (said.nbf, said.iat)):
            raise TokenRefused("token_not_yet_valid", "The token is not valid yet")
        return claims

    def _expired(self, claims: Claims) -> bool:
        return self._clock_real() - self._leeway >= claims.expires_at

    def _remember(self, digest: bytes, verified: "_Verified") -> None:
        self._verified[digest] = verified
        self._verified.move_to_end(digest)
        if len(self._verified) > self._verified_max:
            self._verified.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Verified:
    claims: Claims
    key_id: str
    algorithm: str
    key: Key


class _Header(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    alg: str
    kid: str | None = Field(None, min_length=1, max_length=256)
    typ: str | None = None
    crit: JsonValue = None


class _Said(BaseModel):
    """The claims as they arrive. The bounds keep out infinity, not-a-number and what no calendar holds."""

    model_config = ConfigDict(strict=True, extra="ignore")

    iss: str
    sub: str = Field(min_length=1, max_length=SUBJECT_LENGTH_MAX, pattern=r"^[^\x00-\x1f\x7f]+$")
    aud: str | list[str]
    exp: float = Field(ge=0, le=_LAST_INSTANT_S)
    nbf: float | None = Field(None, ge=0, le=_LAST_INSTANT_S)
    iat: float | None = Field(None, ge=0, le=_LAST_INSTANT_S)
    jti: str | None = Field(None, max_length=SUBJECT_LENGTH_MAX)


class _Asymmetric(JWSRegistry):
    """The algorithms we accept and no others, whatever the library comes to think of as recommended."""

    max_header_length = 2_048

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError("not one of ours")
        return self.algorithms[name]


# A header may say more than we know (RFC 7515, section 4): what is not critical is left unread.
_REGISTRY = _Asymmetric(algorithms=sorted(ALGORITHMS), strict_check_header=False)


def _check_shape(token: str) -> None:
    if not token:
        raise TokenRefused("token_missing", "There is no token")
    if len(token) > TOKEN_BYTES_MAX:
        raise TokenRefused("token_too_long", f"The token is longer than {TOKEN_BYTES_MAX} bytes")
    if not token.isascii() or token.count(".") != 2:
        raise TokenRefused("token_malformed", "This is not a signed token")


def _read(token: str) -> tuple[CompactSignature, _Header]:
    try:
        signed = extract_compact(token.encode(), registry=_REGISTRY)
        header = _Header.model_validate(signed.protected)
    except (JoseError, ValidationError, TypeError, RecursionError):
        # A header that is no object is a TypeError in the library, one nested too deep a RecursionError.
        raise TokenRefused("token_malformed", "This is not a signed token") from None
    if header.alg not in ALGORITHMS:
        raise TokenRefused("token_algorithm", "The token is signed in a way that we do not accept")
    if header.typ is not None and header.typ.lower() not in _TYPES:
        raise TokenRefused("token_type", "This is not an access token")
    if "crit" in header.model_fields_set:
        raise TokenRefused("token_malformed", "The token demands an extension that we do not know")
    return signed, header


def _check_signature(signed: CompactSignature, key: Key) -> None:
    try:
        genuine = validate_compact(signed, key, registry=_REGISTRY)
    except JoseError:
        raise TokenRefused("token_malformed", "This is not a signed token") from None
    if not genuine:
        raise TokenRefused("token_signature", "The token's signature is not the issuer's")


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
