"""A receiver for the demonstration: the other side of a webhook, in the same house.

It takes what comes to its path, checks the signature as any receiver would, and answers as it was told to: so
one can see a delivery arrive, and what a receiver that fails does to it. The last fifty stay in memory.

A real receiver holds its secret. This one stands for all of them: it looks the secrets up of those endpoints
that lead to it. It takes anybody's requests, since a signature is how a receiver knows who sends; that is why
it is there in demo mode only, keeps little, and changes nothing.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.notifications.webhooks.documents import ADDRESSES, Address, address_of
from services.notifications.webhooks.signing import SealingKeys, unseal, verify
from shared.clock import Clock
from shared.errors import Invalid
from shared.http.visit import visit_of
from shared.storage.mongo import Mongo

PATH = "/notifications/webhooks/demo-receiver"
KEPT_MAX = 50
BODY_BYTES_MAX = 262_144
ENDPOINTS_MAX = 100
ANSWERS = (204, 503, 410)
_SHOWN_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature", "webhook-replay", "content-type")
_HEADER_CHARACTERS_MAX = 500


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """`endpoint_id`: whose secret signed it; empty where none did, and then `problem` says why."""

    at: datetime
    headers: Mapping[str, str]
    body: str
    type: str
    endpoint_id: str
    problem: str
    answered: int


class _Typed(BaseModel):
    type: str


class DemoReceiver:
    """`answer`: the status it gives until told otherwise."""

    def __init__(self, mongo: Mongo, clock: Clock, keys: SealingKeys) -> None:
        self._mongo, self._clock, self._keys = mongo, clock, keys
        self._receipts: deque[Receipt] = deque(maxlen=KEPT_MAX)
        self.answer = ANSWERS[0]
        self.routes = [Route(PATH, self._receive, methods=["POST"], include_in_schema=False)]

    def receipts(self) -> list[Receipt]:
        """The newest first."""
        return list(reversed(self._receipts))

    async def _receive(self, request: Request) -> Response:
        visit = visit_of(request)
        visit.route = PATH
        body = await visit.incoming.read(BODY_BYTES_MAX)
        endpoint_id, problem = await self._signed_by(request.headers, body)
        headers = {name: request.headers.get(name, "")[:_HEADER_CHARACTERS_MAX] for name in _SHOWN_HEADERS}
        self._receipts.append(
            Receipt(
                at=self._clock.real(),
                headers={name: value for name, value in headers.items() if value},
                body=body.decode("utf-8", errors="replace"),
                type=_type_of(body),
                endpoint_id=endpoint_id,
                problem=problem,
                answered=self.answer,
            )
        )
        return Response(status_code=self.answer)

    async def _signed_by(self, headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
        problem = Invalid("webhook_receiver_unknown", "No endpoint leads here, so no secret is known")
        now_s = self._clock.real().timestamp()
        for address in await self._leading_here():
            secrets = [unseal(one.sealed, self._keys, owner=address.id) for one in address.secrets]
            try:
                verify(secrets, headers, body, now_s=now_s)
            except Invalid as wrong:
                problem = wrong
            else:
                return address.id, ""
        return "", problem.message

    async def _leading_here(self) -> list[Address]:
        found = self._mongo[ADDRESSES].find({"url": {"$regex": rf"{PATH}(\?.*)?$"}}).limit(ENDPOINTS_MAX)
        return [address_of(document) for document in await found.to_list(length=ENDPOINTS_MAX)]


def _type_of(body: bytes) -> str:
    try:
        return _Typed.model_validate_json(body).type
    except ValidationError:
        return ""
