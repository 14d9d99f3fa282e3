"""Asking partners for a person's address, over HTTP, with the key that services show each other."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from services.notifications.address_book.domain import Address
from shared.errors import Permanent, Transient

FETCH_TIMEOUT_S = 5.0
ASKED_AT_ONCE_MAX = 4
ANSWER_BYTES_MAX = 64 * 1024


class AddressSource(Protocol):
    async def fetch(self, person_id: str) -> Address | None:
        """The person's address; None where partners knows nobody, or nobody any more."""
        ...

    async def close(self) -> None: ...


class _Contact(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    email: str
    language: str


class PartnersHttp:
    def __init__(self, partners_url: str, internal_key: str, *, timeout_s: float = FETCH_TIMEOUT_S) -> None:
        # Partners has people to answer too: after an import nobody waits for a thousand questions of ours.
        self._turns = asyncio.Semaphore(ASKED_AT_ONCE_MAX)
        self._client = httpx2.AsyncClient(
            base_url=partners_url,
            headers={"Authorization": f"Internal {internal_key}"},
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
        )

    async def fetch(self, person_id: str) -> Address | None:
        try:
            async with self._turns:
                answer = await self._client.get(f"/partners/v1/people/{person_id}/contact")
        except httpx2.TransportError as error:
            raise Transient(f"partners cannot be asked: {type(error).__name__}") from error
        if answer.status_code == 404:
            return None
        if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
            raise Transient(f"partners answered {answer.status_code}")
        if answer.status_code != 200:
            raise Permanent(f"partners answered {answer.status_code} to the question for an address")
        return _address(person_id, answer.content)

    async def close(self) -> None:
        await self._client.aclose()


class NoAddresses:
    """The null twin: knows whom it was told of."""

    def __init__(self, known: Mapping[str, Address] | None = None) -> None:
        self.known = dict(known or {})

    async def fetch(self, person_id: str) -> Address | None:
        return self.known.get(person_id)

    async def close(self) -> None:
        return None


def _address(person_id: str, content: bytes) -> Address:
    try:
        contact = _Contact.model_validate_json(content)
    except ValidationError as error:  # Not its text: that would be somebody's name in a log.
        raise Permanent(f"partners' answer does not fit: {error.error_count()} fields") from None
    return Address(person_id=person_id, name=contact.name, email=contact.email, language=contact.language)
