"""The mailer against a mailbox of our own, and against servers in a bad hour: real SMTP on loopback."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
import pytest_asyncio

from services.notifications.email.adapters.mailbox import KEPT_MESSAGES_MAX, DemoMailbox
from services.notifications.email.adapters.null_mailer import REMEMBERED_MAX, NullMailer
from services.notifications.email.adapters.smtp import REPLY_CHARACTERS_MAX, SmtpMailer, SmtpSettings, Tls
from services.notifications.email.domain import (
    Accepted,
    Letter,
    Mailbox,
    PermanentRefusal,
    TransientRefusal,
    Unknown,
    build_message,
)
from shared.errors import Invalid
from tests.support.certificates import server_and_client
from tests.support.smtp_server import DROP, SILENCE, SmtpServer

pytestmark = pytest.mark.asyncio

SENDER = "b+token@concord.example"
AMINA = "amina@kisumu.example"


def message(*, body: str = "Good morning", to: str = AMINA, language: str = "en") -> EmailMessage:
    return build_message(
        Letter(
            delivery_id="dlv_1",
            sender=Mailbox("no-reply@concord.example", "Concord"),
            to=Mailbox(to, "Amina"),
            subject="A notice",
            body=body,
            language=language,
            at=datetime(2027, 1, 15, 8, 0, tzinfo=UTC),
        )
    )


def settings(server: DemoMailbox | SmtpServer) -> SmtpSettings:
    return SmtpSettings(
        host=server.host,
        port=server.port,
        tls=Tls.OFF,
        connect_timeout_s=2,
        command_timeout_s=0.3,
        handover_timeout_s=0.3,
    )


@pytest_asyncio.fixture
async def mailbox() -> AsyncIterator[DemoMailbox]:
    async with DemoMailbox() as one:
        yield one


@pytest_asyncio.fixture
async def mailer(mailbox: DemoMailbox) -> AsyncIterator[SmtpMailer]:
    async with SmtpMailer(settings(mailbox)) as one:
        yield one


@pytest.mark.parametrize(
    ("language", "body"), [("en", "Good morning\n\n.hidden?\n..and this\n"), ("ar", "صباح الخير\n.\nنهاية\n")]
)
async def test_a_message_arrives_as_it_was_written(
    mailbox: DemoMailbox, mailer: SmtpMailer, language: str, body: str
) -> None:
    answer = await mailer.send(message(body=body, language=language), SENDER, AMINA)
    (caught,) = mailbox.messages()
    assert answer == Accepted(250, "OK: message kept")
    assert caught.body == body
    assert (caught.envelope_from, caught.recipients) == (SENDER, (AMINA,))
    assert caught.subject == "A notice"
    assert dict(caught.headers)["From"] == "Concord <no-reply@concord.example>"
    assert all(len(line) <= 998 for line in caught.content.split(b"\r\n"))


async def test_messages_one_after_another_share_a_connection(
    mailbox: DemoMailbox, mailer: SmtpMailer
) -> None:
    for _ in range(3):
        assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
    assert (len(mailbox.messages()), mailbox.connections_made) == (3, 1)


async def test_messages_at_once_use_a_few_connections_and_all_arrive(
    mailbox: DemoMailbox, mailer: SmtpMailer
) -> None:
    answers = await asyncio.gather(*(mailer.send(message(), SENDER, AMINA) for _ in range(30)))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert len(mailbox.messages()) == 30
    assert mailbox.connections_made <= 4


async def test_a_connection_is_given_up_after_its_number_of_messages(mailbox: DemoMailbox) -> None:
    async with SmtpMailer(replace(settings(mailbox), messages_per_connection_max=2)) as mailer:
        for _ in range(4):
            await mailer.send(message(), SENDER, AMINA)
    assert mailbox.connections_made == 2


async def test_a_connection_that_was_idle_too_long_is_not_used_again(mailbox: DemoMailbox) -> None:
    async with SmtpMailer(replace(settings(mailbox), idle_s_max=0)) as mailer:
        for _ in range(2):
            assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
    assert mailbox.connections_made == 2


async def test_a_connection_the_server_dropped_is_made_anew_at_once(
    mailbox: DemoMailbox, mailer: SmtpMailer
) -> None:
    assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
    mailbox.drop_connections()
    assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
    assert (len(mailbox.messages()), mailbox.connections_made) == (2, 2)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 No such mailbox", PermanentRefusal(550, "5.1.1 No such mailbox")),
        ("451 4.7.1 Come back later", TransientRefusal(451, "4.7.1 Come back later")),
        ("421 4.3.2 Shutting down", TransientRefusal(421, "4.3.2 Shutting down")),
    ],
)
async def test_a_refused_recipient_is_refused_for_good_or_for_now_and_the_next_is_served(
    reply: str, expected: PermanentRefusal | TransientRefusal
) -> None:
    async with DemoMailbox(replies={"gone@kisumu.example": reply}) as mailbox:
        async with SmtpMailer(settings(mailbox)) as mailer:
            assert await mailer.send(message(), SENDER, "gone@kisumu.example") == expected
            assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
        assert [caught.recipients for caught in mailbox.messages()] == [(AMINA,)]


@pytest.mark.parametrize(
    ("place", "reply", "expected"),
    [
        ("CONNECT", "554 no service", TransientRefusal(554, "no service")),
        ("EHLO", DROP, None),
        ("MAIL", "550 not from you", TransientRefusal(550, "not from you")),
        ("MAIL", "451 later", TransientRefusal(451, "later")),
        ("MAIL", DROP, None),
        ("RCPT", SILENCE, None),
        ("RCPT", DROP, None),
        ("DATA", "451 later", TransientRefusal(451, "later")),
        ("DATA", "554 no valid recipients", PermanentRefusal(554, "no valid recipients")),
        ("DATA", "250 what?", TransientRefusal(250, "what?")),
        ("DATA", DROP, None),
        ("MESSAGE", "250 queued as 1", Accepted(250, "queued as 1")),
        ("MESSAGE", "451 later", TransientRefusal(451, "later")),
        ("MESSAGE", "552 too big", PermanentRefusal(552, "too big")),
    ],
)
async def test_how_far_a_message_got_decides_what_a_failure_means(
    place: str, reply: str, expected: Accepted | PermanentRefusal | TransientRefusal | None
) -> None:
    async with SmtpServer(**{place: reply}) as server, SmtpMailer(settings(server)) as mailer:
        answer = await mailer.send(message(), SENDER, AMINA)
    if expected is None:
        assert isinstance(answer, TransientRefusal)
        assert answer.code is None
        assert server.contents == []
        return
    assert answer == expected


@pytest.mark.parametrize("silence", [DROP, SILENCE])
async def test_no_reply_after_the_message_was_handed_over_means_that_nobody_knows(silence: str) -> None:
    async with SmtpServer(MESSAGE=silence) as server, SmtpMailer(settings(server)) as mailer:
        answer = await mailer.send(message(), SENDER, AMINA)
        assert isinstance(answer, Unknown)
        assert len(server.contents) == 1
        server.replies["MESSAGE"] = "250 OK"
        assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
        assert server.connections_made == 2


async def test_a_message_lost_before_it_was_handed_over_is_sent_once_more_only_on_a_used_connection() -> None:
    async with SmtpServer() as server, SmtpMailer(settings(server)) as mailer:
        assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
        server.replies["RCPT"] = DROP
        assert isinstance(await mailer.send(message(), SENDER, AMINA), TransientRefusal)
        assert server.connections_made == 2
        assert isinstance(await mailer.send(message(), SENDER, AMINA), TransientRefusal)
        assert server.connections_made == 3


async def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    async with SmtpServer() as server:
        nobody = settings(server)
    async with SmtpMailer(nobody) as mailer:
        answer = await mailer.send(message(), SENDER, AMINA)
    assert isinstance(answer, TransientRefusal)
    assert answer.code is None


async def test_a_long_or_broken_reply_is_kept_short_and_whole() -> None:
    reply = "550-" + "x" * 100 + "\r\n" + "550-\tmore\r\n" * 100 + "550 end"
    async with SmtpServer(RCPT=reply) as server, SmtpMailer(settings(server)) as mailer:
        answer = await mailer.send(message(), SENDER, AMINA)
    assert isinstance(answer, PermanentRefusal)
    assert len(answer.text) <= REPLY_CHARACTERS_MAX
    assert "\n" not in answer.text and "\t" not in answer.text


async def test_a_cancelled_message_leaves_no_connection_in_the_middle_of_something() -> None:
    async with SmtpServer(MESSAGE=SILENCE) as server:
        async with SmtpMailer(replace(settings(server), connections_max=1, handover_timeout_s=30)) as mailer:
            stuck = asyncio.create_task(mailer.send(message(), SENDER, AMINA))
            await asyncio.wait_for(server.handed_over.wait(), 5)
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)
            server.replies["MESSAGE"] = "250 OK"
            assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
    assert server.connections_made == 2


async def test_where_tls_is_required_nothing_is_said_without_it(mailbox: DemoMailbox) -> None:
    async with SmtpMailer(replace(settings(mailbox), tls=Tls.REQUIRED)) as mailer:
        assert isinstance(await mailer.send(message(), SENDER, AMINA), TransientRefusal)
    assert mailbox.messages() == ()


@pytest.mark.parametrize("tls", [Tls.REQUIRED, Tls.OPPORTUNISTIC])
async def test_a_server_with_a_trusted_certificate_is_spoken_to_in_secret(tmp_path: Path, tls: Tls) -> None:
    server, client = server_and_client(tmp_path, "127.0.0.1")
    async with DemoMailbox(tls_context=server) as mailbox:
        async with SmtpMailer(replace(settings(mailbox), tls=tls), tls_context=client) as mailer:
            assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
        assert [caught.encrypted for caught in mailbox.messages()] == [True]


@pytest.mark.parametrize("tls", [Tls.REQUIRED, Tls.OPPORTUNISTIC])
async def test_a_certificate_nobody_trusts_gets_no_message(tmp_path: Path, tls: Tls) -> None:
    server, _ = server_and_client(tmp_path, "127.0.0.1")
    async with DemoMailbox(tls_context=server) as mailbox:
        async with SmtpMailer(replace(settings(mailbox), tls=tls)) as mailer:
            answer = await mailer.send(message(), SENDER, AMINA)
        assert mailbox.messages() == ()
    assert isinstance(answer, TransientRefusal)


async def test_where_tls_is_welcome_a_server_without_it_is_spoken_to_all_the_same(
    mailbox: DemoMailbox,
) -> None:
    async with SmtpMailer(replace(settings(mailbox), tls=Tls.OPPORTUNISTIC)) as mailer:
        assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)
    assert [caught.encrypted for caught in mailbox.messages()] == [False]


async def test_an_address_outside_ascii_goes_to_a_server_that_takes_it(
    mailbox: DemoMailbox, mailer: SmtpMailer
) -> None:
    to = "أمينة@kisumu.example"
    assert isinstance(await mailer.send(message(to=to), SENDER, to), Accepted)
    assert mailbox.messages(to)[0].recipients == (to,)


async def test_an_address_outside_ascii_is_refused_for_good_by_a_server_that_does_not() -> None:
    async with SmtpServer() as server, SmtpMailer(settings(server)) as mailer:
        answer = await mailer.send(message(), SENDER, "أمينة@kisumu.example")
        assert isinstance(answer, PermanentRefusal)
        assert isinstance(await mailer.send(message(), SENDER, AMINA), Accepted)


@pytest.mark.parametrize(
    "to", ["", "amina", "a@b\r\nRCPT TO:<c@d>", "a@b>", "a b@c.example", "a@b@c.example"]
)
async def test_what_is_no_address_never_reaches_a_server(
    mailbox: DemoMailbox, mailer: SmtpMailer, to: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        await mailer.send(message(), SENDER, to)
    assert refusal.value.code == "email_address_invalid"
    assert mailbox.connections_made == 0


async def test_the_mailbox_keeps_the_last_messages_and_finds_those_of_one_recipient(
    mailbox: DemoMailbox, mailer: SmtpMailer
) -> None:
    for number in range(KEPT_MESSAGES_MAX + 1):
        await mailer.send(message(body=f"number {number}"), SENDER, f"p{number}@kisumu.example")
    kept = mailbox.messages()
    assert len(kept) == KEPT_MESSAGES_MAX
    assert (kept[0].recipients, kept[-1].recipients) == (
        ("p1@kisumu.example",),
        (f"p{KEPT_MESSAGES_MAX}@kisumu.example",),
    )
    assert mailbox.messages("p0@kisumu.example") == ()
    assert mailbox.messages("p7@kisumu.example")[0].body == "number 7\n"


async def test_the_null_twin_takes_everything_and_remembers_the_last() -> None:
    twin = NullMailer()
    for _ in range(REMEMBERED_MAX + 1):
        assert isinstance(await twin.send(message(), SENDER, AMINA), Accepted)
    await twin.close()
    assert len(twin.sent) == REMEMBERED_MAX
