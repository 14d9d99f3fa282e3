"""Asking the partners service what somebody may do, whatever state it is in."""

from datetime import UTC, datetime

import pytest

from shared.contracts.vocabulary import Grant, Role
from shared.errors import Transient
from shared.http.directory import Entry
from shared.http.directory_remote import DirectoryOut, RemoteDirectory
from tests.support.fixed_server import answering, http_answer

pytestmark = pytest.mark.asyncio

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
KEY = "what the services of the house show each other"


async def asked(url: str) -> object:
    directory = RemoteDirectory(url, KEY)
    try:
        return await directory.by_subject("https://sign-in.example.org", "demo-officer")
    finally:
        await directory.close()


async def test_what_partners_says_is_who_they_are() -> None:
    entry = Entry(id="prs_01JD0000000000000000000002", grants=(Grant(Role.AUDITOR, (("unit", "Legal"),)),))
    actor = entry.actor_at(NOON, {})
    async with answering(http_answer("200 OK", DirectoryOut.of(actor).model_dump_json().encode())) as url:
        assert await asked(url) == actor


async def test_nobody_is_nobody_only_where_the_directory_says_so() -> None:
    async with answering(http_answer("404 Not Found", b'{"code": "not_in_directory"}')) as url:
        assert await asked(url) is None


@pytest.mark.parametrize(
    "answer",
    [
        http_answer("404 Not Found", b'{"code": "route_not_found"}'),
        http_answer("404 Not Found", b"<html>"),
        http_answer("401 Unauthorized", b'{"code": "internal_key_refused"}'),
        http_answer("500 Internal Server Error"),
        http_answer("302 Found", location="http://127.0.0.1:1/"),
        http_answer("200 OK", b"{}"),
        http_answer("200 OK", b"<html>"),
        b"nonsense\r\n\r\n",
        b"",
    ],
)
async def test_anything_else_says_nothing_of_anybody(answer: bytes) -> None:
    async with answering(answer) as url:
        with pytest.raises(Transient):
            await asked(url)


async def test_who_was_away_is_left_alone_for_a_moment() -> None:
    async with answering(http_answer("500 Internal Server Error")) as url:
        directory = RemoteDirectory(url, KEY)
        with pytest.raises(Transient, match="does not say"):
            await directory.by_key("key_1", "00")
        with pytest.raises(Transient, match="a moment ago"):
            await directory.by_key("key_1", "00")
        await directory.close()
