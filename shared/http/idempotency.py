"""A POST sent twice has one effect, and both get the same answer, byte for byte.

Who is who: the *caller* puts an Idempotency-Key on a request and repeats it when no answer came; an *answer*
is what the first one was told, kept for a day under (actor, route, key).

What happens, in order:
1. A key whose first request is still being worked on in this process is refused with 409: the caller asks
   again in a moment.
2. The answer is looked for. Found, and to the same request: it is given again. To another request: 422.
3. Otherwise the command runs, and its answer is inserted by the very transaction that holds the effect.
4. Where another process was working on the same key, one of the two inserts hits the unique `_id`: a
   conflict, so the command is run again, and step 2 finds the winner's answer. The loser may also be refused
   by what the winner changed (the name is taken now); so before a refusal is answered, the answer is looked
   for once more, this time in everything the server holds.

Refusals are not kept: nothing happened, and the same request may be right later.

An answer may hold what is shown once and kept nowhere else, such as an API key. So it is kept sealed, under a
key that is derived from the Idempotency-Key, and of that only a hash is stored: only who repeats the request
can open it. A key that can be guessed seals nothing; a random one, as clients are asked for, does.

Not needed for correctness: step 1, which spares a command that would only be thrown away. Correct is the
unique `_id`, in the transaction of the effect.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bson
from bson.binary import Binary
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pymongo.read_concern import ReadConcern
from starlette.requests import Request
from starlette.responses import Response

from shared.errors import Invalid, Malformed, Refusal
from shared.http.limits import one_header
from shared.storage.documents import Collection, Index
from shared.storage.mongo import Mongo
from shared.storage.repository import Unit

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT_S = 86_400
LOOK_AGAIN_MS_MAX = 5_000
SEALING_KEY_BYTES = 32
NONCE_BYTES = 12

# By the machine's clock: a demo's clock that is moved forward does not forget what was just answered.
ANSWERS = Collection(
    name="answers", indexes=(Index(name="kept_for_a_day", keys=(("at", 1),), expire_after_s=KEPT_S),)
)

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True)
class Asked:
    """A request as far as it can be the same as another one."""

    id: str
    sha256: bytes
    sealing_key: bytes = field(repr=False)


def asked(request: Request, body: bytes, *, actor_id: str, route: str) -> Asked:
    """Raises where the key is missing or no key."""
    key = one_header(request.headers.getlist(HEADER), HEADER)
    if key is None:
        raise Malformed(
            "idempotency_key_missing", f"Send a {HEADER} that is new for each thing you want done"
        )
    return asked_with(key, request, body, actor_id=actor_id, route=route)


def asked_with(key: str, request: Request, body: bytes, *, actor_id: str, route: str) -> Asked:
    """Where the key came otherwise than in its header: a form carries it in a field."""
    if _KEY.fullmatch(key) is None:
        raise Malformed("idempotency_key_malformed", f"{HEADER} is 1 to 200 visible ASCII characters")
    address = f"{request.url.path}?{request.url.query}\n".encode()
    who_and_what = f"{actor_id}\n{route}\n".encode()
    return Asked(
        id=hashlib.sha256(who_and_what + key.encode()).hexdigest(),
        sha256=hashlib.sha256(address + body).digest(),
        sealing_key=_sealing_key(key, who_and_what),
    )


def _sealing_key(key: str, who_and_what: bytes) -> bytes:
    derive = HKDF(SHA256(), SEALING_KEY_BYTES, salt=None, info=b"concord kept answer\n" + who_and_what)
    return derive.derive(key.encode())


class InFlight:
    """Which keys this process is working on."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    @contextmanager
    def holding(self, asked: Asked) -> Iterator[None]:
        if asked.id in self._ids:
            raise Refusal(
                "idempotency_key_in_flight", "The first request with this key is being worked on; ask again"
            )
        self._ids.add(asked.id)
        try:
            yield
        finally:
            self._ids.discard(asked.id)


async def kept_answer(mongo: Mongo, asked: Asked) -> Response | None:
    """What the first request was told, if this is known here."""
    return _response(await mongo[ANSWERS.name].find_one({"_id": asked.id}), asked)


async def kept_answer_at_last(mongo: Mongo, asked: Asked) -> Response | None:
    """The same, but of everything the server holds, not only of what a majority is known to have: what
    refused us may be a moment older than that.
    """
    answers = mongo[ANSWERS.name].with_options(read_concern=ReadConcern("linearizable"))
    return _response(await answers.find_one({"_id": asked.id}, max_time_ms=LOOK_AGAIN_MS_MAX), asked)


def keep(unit: Unit, asked: Asked, response: Response) -> None:
    """Into the unit's own change, so that the answer is there exactly when the effect is."""
    answer = {
        "request_sha256": asked.sha256,
        "status": response.status_code,
        "headers": [list(header) for header in response.raw_headers],
        "body": bytes(response.body),
    }
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(asked.sealing_key).encrypt(nonce, bson.encode(answer), asked.id.encode())
    unit.change.insert(
        ANSWERS.name, {"_id": asked.id, "sealed": Binary(nonce + sealed), "at": unit.context.recorded_at}
    )


def _response(document: dict[str, Any] | None, asked: Asked) -> Response | None:
    if document is None:
        return None
    nonce, sealed = document["sealed"][:NONCE_BYTES], document["sealed"][NONCE_BYTES:]
    answer = bson.decode(AESGCM(asked.sealing_key).decrypt(nonce, sealed, asked.id.encode()))
    if answer["request_sha256"] != asked.sha256:
        raise Invalid("idempotency_key_reused", "This key was used for another request", header=HEADER)
    response = Response(answer["body"], status_code=answer["status"])
    response.raw_headers = [(name, value) for name, value in answer["headers"]]
    response.headers[REPLAYED] = "true"
    return response
