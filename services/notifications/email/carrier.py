"""E-mail as a channel: the notice in its reader's language, to the address the book has at this moment.

A person may be told before their address has come from partners, so a missing address is waited for, a little
at first and then longer. An erased one ends the delivery: nobody is looked up anywhere else.

A mail server that was given the message and said nothing may have taken it. What is sent here are notices
that people must have, so it is sent again, as the same message.

What a server says often repeats whom it speaks of. It is kept as evidence of the attempt without that: an
erasure must find the address in the address book and nowhere else.
"""

import re
from collections.abc import Callable

from services.notifications.address_book.documents import ADDRESSES
from services.notifications.address_book.domain import Address
from services.notifications.address_book.queries import address_of
from services.notifications.deliveries.domain.delivery import (
    Again,
    Evidence,
    GivenUp,
    Item,
    Result,
    State,
    Taken,
)
from services.notifications.deliveries.domain.words import text_of
from services.notifications.deliveries.readers import Readers
from services.notifications.email.adapters import Mailer
from services.notifications.email.domain import (
    Accepted,
    Answer,
    Letter,
    Mailbox,
    PermanentRefusal,
    TransientRefusal,
    build_message,
)
from shared.contracts.notifications.delivery import Channel
from shared.errors import Invalid
from shared.http.directory_projection import DIRECTORY
from shared.service import Runtime
from shared.storage.repository import Unit

# As many as the mailer has connections: who waits for one would wait on its lease.
WIDTH = 4
ROOM = 500
CARRY_S_MAX = 240.0
# Greylisting lets a message in after minutes; a server that is away for a weekend is not waited for.
SCHEDULE_S = (300, 900, 3_600, 7_200, 14_400, 28_800, 43_200, 72_000)
NO_ADDRESS_SCHEDULE_S = (1, 2, 5, 15, 60, 300, 1_800, 7_200, 43_200, 86_400)


class EmailCarrier:
    channel = Channel.EMAIL
    carry_s_max = CARRY_S_MAX

    def __init__(
        self, runtime: Runtime, *, readers: Readers, sender: Mailbox, open_mailer: Callable[[], Mailer]
    ) -> None:
        self._runtime, self._readers, self._sender = runtime, readers, sender
        self._open_mailer = open_mailer
        self._mailer: Mailer | None = None

    def width(self, target: str) -> int:
        return WIDTH

    def room(self, target: str, *, plenty: bool) -> int:
        return ROOM

    def closed_because(self, target: str) -> str:
        raise AssertionError("the way to the mail server is never closed")

    async def carry(self, item: Item) -> Result:
        if not await self._readers.may_be_told(item):
            return GivenUp(reason="not_disclosed", state=State.SUPPRESSED)
        address = await address_of(self._runtime.mongo, item.recipient)
        if address is None:
            return await self._without_address(item)
        started_at = self._runtime.clock.real()
        try:
            answer = await self._send(item, address)
        except Invalid as refusal:
            return GivenUp(reason=refusal.code)
        took_ms = round((self._runtime.clock.real() - started_at).total_seconds() * 1_000)
        code, text = getattr(answer, "code", None), _without(address, answer.text)
        evidence = Evidence(started_at=started_at, took_ms=took_ms, status=code, answer=text.encode())
        return _result(item, answer, evidence)

    async def _without_address(self, item: Item) -> Result:
        known = await self._runtime.mongo[ADDRESSES].find_one({"_id": item.recipient}, {"erased": 1})
        if known is not None and known["erased"]:
            return GivenUp(reason="address_erased")
        return _again(item, NO_ADDRESS_SCHEDULE_S, "no_address", None)

    async def _send(self, item: Item, address: Address) -> Answer:
        entry = await self._runtime.mongo[DIRECTORY].find_one({"_id": item.recipient}, {"zone": 1})
        zone = "UTC" if entry is None else entry["zone"]
        text = text_of(item.content, language=address.language, zone=zone)
        letter = Letter(
            delivery_id=item.id,
            sender=self._sender,
            to=Mailbox(address.email, address.name),
            subject=text.subject,
            body=text.body,
            language=text.language,
            at=self._runtime.clock.now(),
        )
        if self._mailer is None:
            self._mailer = self._open_mailer()
        return await self._mailer.send(build_message(letter), self._sender.address, address.email)

    async def stage(self, item: Item, result: Taken | GivenUp, unit: Unit) -> None:
        """Nothing beside the outcome."""

    async def close(self) -> None:
        if self._mailer is not None:
            await self._mailer.close()


def _without(address: Address, text: str) -> str:
    """The text with the recipient's name and address taken out, and what stands before the @ as well."""
    spoken_of = (address.email, address.email.partition("@")[0], address.name)
    parts = "|".join(re.escape(part) for part in spoken_of)
    return re.sub(rf"(?<!\w)({parts})(?!\w)", "(recipient)", text, flags=re.IGNORECASE)


def _result(item: Item, answer: Answer, evidence: Evidence) -> Result:
    match answer:
        case Accepted():
            return Taken(state=State.ACCEPTED, evidence=evidence)
        case PermanentRefusal():
            return GivenUp(reason="refused", evidence=evidence)
        case TransientRefusal():
            return _again(item, SCHEDULE_S, "refused_for_now", evidence)
    return _again(item, SCHEDULE_S, "no_answer", evidence)


def _again(item: Item, schedule_s: tuple[int, ...], reason: str, evidence: Evidence | None) -> Result:
    if item.attempts >= len(schedule_s):
        return GivenUp(reason=reason, evidence=evidence)
    return Again(after_s=float(schedule_s[item.attempts]), reason=reason, evidence=evidence)
