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

Not needed for correctness: step 1, which spares a command that would only be thrown away. Correct is the
unique `_id`, in the transaction of the effect.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bson.binary import Binary
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


def asked(request: Request, body: bytes, *, actor_id: str, route: str) -> Asked:
    """Raises where the key is missing or no key."""
    key = one_header(request.headers.getlist(HEADER), HEADER)
    if key is None:
        raise Malformed(
            "idempotency_key_missing", f"Send a {HEADER} that is new for each thing you want done"
        )
    if _KEY.fullmatch(key) is None:
        raise Malformed("idempotency_key_malformed", f"{HEADER} is 1 to 200 visible ASCII characters")
    address = f"{request.url.path}?{request.url.query}\n".encode()
    return Asked(f"{actor_id}|{route}|{key}", hashlib.sha256(address + body).digest())


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
    document = {
        "_id": asked.id,
        "request_sha256": Binary(asked.sha256),
        "status": response.status_code,
        "headers": [
            [name.decode("latin-1"), value.decode("latin-1")] for name, value in response.raw_headers
        ],
        "body": Binary(bytes(response.body)),
        "at": unit.context.recorded_at,
    }
    unit.change.insert(ANSWERS.name, document)


def _response(document: dict[str, Any] | None, asked: Asked) -> Response | None:
    if document is None:
        return None
    if bytes(document["request_sha256"]) != asked.sha256:
        raise Invalid("idempotency_key_reused", "This key was used for another request", header=HEADER)
    response = Response(bytes(document["body"]), status_code=document["status"])
    response.raw_headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in document["headers"]
    ]
    response.headers[REPLAYED] = "true"
    return response
