"""What the sender's tests share: an attempt to make, names that resolve as told, a gate open to loopback."""

import socket
import time
from collections.abc import Sequence
from dataclasses import replace

from services.notifications.webhooks.addresses import DEFAULT_PORTS, Gate, networks
from services.notifications.webhooks.domain import Attempt
from services.notifications.webhooks.signing import new_secret, signed_headers
from tests.support.receiver import Receiver

GATE = Gate(open_networks=networks(["127.0.0.0/8"]))
BODY = b'{"specversion": "1.0"}'
SECRET = new_secret()
HOST = "hooks.example.org"


class Names:
    """A name server that says what a test tells it to, one answer after another, the last for good."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, bool]] = []

    async def __call__(self, host: str, ipv4_only: bool) -> Sequence[str]:
        self.asked.append((host, ipv4_only))
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return found


def attempt(url: str, *, endpoint: str = "whe_1", timeout_s: float = 15.0, body: bytes = BODY) -> Attempt:
    signed = signed_headers((SECRET,), "01938a3c-0000-7000-8000-000000000000", int(time.time()), body)
    headers = (("Content-Type", "application/cloudevents+json"), *signed)
    return Attempt(endpoint_id=endpoint, url=url, headers=headers, body=body, timeout_s=timeout_s)


def named_gate(receiver: Receiver) -> Gate:
    """A gate for which the receiver may be called by name over plain http."""
    return replace(GATE, plain_http_hosts=frozenset({HOST}), ports=DEFAULT_PORTS | {receiver.port})
