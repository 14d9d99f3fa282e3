"""A provider of sign-ins that says whatever a test lets it say, over HTTP and with real signatures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from joserfc.jwk import ECKey, Key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.issuer import signed

CLIENT_ID = "concord-web"
SUBJECT = "somebody"


class CrookedProvider:
    """Honest until it is told otherwise: `claims` and `header` change what the ID token says, None leaves a
    claim out; `discovery` what it says of itself; `token_answer` is given instead of a token.
    """

    def __init__(self) -> None:
        self.issuer = ""
        self.key: Key = ECKey.generate_key("P-256")
        self.signing_key: Key = self.key
        self.forget()

    def forget(self) -> None:
        self.nonce, self.signing_key = "", self.key
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.discovery: dict[str, Any] = {}
        self.token_answer: Response | None = None
        self.redeemed: list[dict[str, str]] = []
        self.authorization: str | None = None

    async def discover(self, request: Request) -> Response:
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }
        return JSONResponse({**honest, **self.discovery})

    async def publish(self, request: Request) -> Response:
        return JSONResponse({"keys": [{**self.key.as_dict(private=False), "kid": "k1", "use": "sig"}]})

    async def redeem(self, request: Request) -> Response:
        self.redeemed.append(dict(parse_qsl((await request.body()).decode())))
        self.authorization = request.headers.get("authorization")
        if self.token_answer is not None:
            return self.token_answer
        return JSONResponse({"access_token": "nobody looks", "id_token": self.id_token()})

    def id_token(self) -> str:
        now_s = int(datetime.now(UTC).timestamp())
        honest = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": SUBJECT,
            "nonce": self.nonce,
            "iat": now_s,
            "exp": now_s + 600,
            "name": "Some Body",
        }
        claims = {name: value for name, value in {**honest, **self.claims}.items() if value is not None}
        return signed({"alg": "ES256", "kid": "k1", "typ": "JWT", **self.header}, claims, self.signing_key)


@asynccontextmanager
async def crooked_provider() -> AsyncIterator[CrookedProvider]:
    provider = CrookedProvider()
    routes = [
        Route("/.well-known/openid-configuration", provider.discover),
        Route("/jwks", provider.publish),
        Route("/token", provider.redeem, methods=["POST"]),
    ]
    config = uvicorn.Config(
        Starlette(routes=routes), port=0, lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    provider.issuer = f"http://{host}:{port}"
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
