"""The sender against receivers that behave, and against those that do not: real sockets on loopback."""

import asyncio
from dataclasses import replace

import pytest

from services.notifications.webhooks.adapters.http_sender import HttpSender, SenderLimits
from services.notifications.webhooks.adapters.null_sender import REMEMBERED_MAX, NullSender
from services.notifications.webhooks.domain import ErrorClass, Outcome
from services.notifications.webhooks.signing import new_secret
from tests.service.notifications.sending import BODY, GATE, SECRET, attempt
from tests.support.receiver import Receiver, answer

pytestmark = pytest.mark.asyncio

LIMITS = SenderLimits()


async def test_a_delivery_arrives_as_it_was_signed_and_nothing_is_added_that_was_not_asked_for(
    receiver: Receiver, sender: HttpSender
) -> None:
    outcome = await sender.send(attempt(receiver.url("/ok?a=%2F")))
    (got,) = receiver.requests
    assert outcome.delivered
    assert got.path == "/ok?a=%2F"
    assert got.is_signed_by(SECRET)
    assert not got.is_signed_by(new_secret())
    assert got.body == BODY
    assert set(got.headers) == {
        "host",
        "user-agent",
        "content-type",
        "content-length",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }


async def test_a_delivery_that_is_taken_says_by_whom_and_how_long_it_took(
    receiver: Receiver, sender: HttpSender
) -> None:
    outcome = await sender.send(attempt(receiver.url("/ok")))
    assert (outcome.status, outcome.error_class, outcome.address) == (200, None, "127.0.0.1")
    assert outcome.response_head == b'{"taken": true}'
    assert 0 < outcome.duration_ms < 5_000


async def test_deliveries_one_after_another_share_a_connection(
    receiver: Receiver, sender: HttpSender
) -> None:
    for _ in range(5):
        assert (await sender.send(attempt(receiver.url("/ok")))).delivered
    assert receiver.connections_made == 1


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/status/204", 204, None),
        ("/status/299", 299, None),
        ("/status/304", 304, ErrorClass.REDIRECT),
        ("/status/400", 400, ErrorClass.CLIENT_4XX),
        ("/status/500", 500, ErrorClass.SERVER_5XX),
        ("/status/503", 503, ErrorClass.SERVER_5XX),
        ("/gone", 410, ErrorClass.GONE),
        ("/throttled", 429, ErrorClass.THROTTLED),
        ("/reset", None, ErrorClass.RESET),
        ("/half", None, ErrorClass.RESET),
        ("/nonsense", None, ErrorClass.RESET),
        ("/long-header", None, ErrorClass.TOO_LARGE),
        ("/many-headers", 200, ErrorClass.TOO_LARGE),
    ],
)
async def test_each_way_to_answer_has_its_class(
    receiver: Receiver, sender: HttpSender, path: str, status: int | None, expected: ErrorClass | None
) -> None:
    outcome = await sender.send(attempt(receiver.url(path), timeout_s=1))
    assert (outcome.status, outcome.error_class) == (status, expected)
    assert len(receiver.requests) == 1


async def test_a_redirect_to_the_metadata_service_is_not_followed(
    receiver: Receiver, sender: HttpSender
) -> None:
    outcome = await sender.send(attempt(receiver.url("/redirect")))
    assert (outcome.status, outcome.error_class) == (302, ErrorClass.REDIRECT)


async def test_a_retry_after_comes_back_as_seconds(receiver: Receiver, sender: HttpSender) -> None:
    assert (await sender.send(attempt(receiver.url("/throttled")))).retry_after_s == 120
    assert (await sender.send(attempt(receiver.url("/ok")))).retry_after_s is None


@pytest.mark.parametrize("path", ["/hang", "/slow-loris"])
async def test_a_receiver_that_never_answers_is_left_after_the_attempts_time(
    receiver: Receiver, sender: HttpSender, path: str
) -> None:
    outcome = await sender.send(attempt(receiver.url(path), timeout_s=1))
    assert outcome.error_class is ErrorClass.TIMEOUT
    assert 950 < outcome.duration_ms < 2_000
    await receiver.until(lambda: receiver.connections_open == 0)


async def test_of_an_endless_answer_four_kibibytes_are_kept_and_the_connection_is_closed(
    receiver: Receiver, sender: HttpSender
) -> None:
    outcome = await sender.send(attempt(receiver.url("/huge")))
    assert outcome.delivered
    assert outcome.response_head == b"x" * LIMITS.response_kept_bytes_max
    await receiver.until(lambda: receiver.connections_open == 0)


@pytest.mark.parametrize(
    ("size", "kept_open"),
    [
        (LIMITS.response_read_bytes_max - 1, 1),
        (LIMITS.response_read_bytes_max, 1),
        (LIMITS.response_read_bytes_max + 4_000_000, 0),
    ],
)
async def test_an_answer_is_read_up_to_its_limit_and_then_the_connection_is_given_up(
    receiver: Receiver, sender: HttpSender, size: int, kept_open: int
) -> None:
    receiver.says("/sized", answer(200, b"y" * size))
    outcome = await sender.send(attempt(receiver.url("/sized")))
    assert outcome.delivered
    assert len(outcome.response_head) == LIMITS.response_kept_bytes_max
    await receiver.until(lambda: receiver.connections_open == kept_open)


async def test_a_receiver_that_said_yes_and_then_stumbles_over_its_own_words_has_the_message(
    receiver: Receiver, sender: HttpSender
) -> None:
    outcome = await sender.send(attempt(receiver.url("/trickle"), timeout_s=1))
    assert (outcome.status, outcome.error_class) == (200, None)
    assert outcome.response_head.startswith(b"drop")
    await receiver.until(lambda: receiver.connections_open == 0)


async def test_a_packed_answer_is_not_unpacked(receiver: Receiver, sender: HttpSender) -> None:
    outcome = await sender.send(attempt(receiver.url("/gzip")))
    assert outcome.response_head == b"\x1f\x8b not unpacked"


async def test_a_proxy_in_the_environment_is_not_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with HttpSender(GATE) as sender:
        assert (await sender.send(attempt(receiver.url("/ok")))).delivered


async def test_a_connection_that_went_stale_is_made_anew_at_once(
    receiver: Receiver, sender: HttpSender
) -> None:
    for _ in range(3):
        assert (await sender.send(attempt(receiver.url("/stale")))).delivered
    assert len(receiver.requests) == 3
    assert receiver.connections_made == 3


async def test_a_connection_that_the_receiver_closes_is_not_used_again(
    receiver: Receiver, sender: HttpSender
) -> None:
    for _ in range(2):
        assert (await sender.send(attempt(receiver.url("/close")))).delivered
    assert receiver.connections_made == 2


@pytest.mark.parametrize("path", ["/reset", "/half"])
async def test_a_failure_on_a_used_connection_is_sent_again_only_when_no_byte_came_and_only_once(
    receiver: Receiver, sender: HttpSender, path: str
) -> None:
    assert (await sender.send(attempt(receiver.url("/ok")))).delivered
    outcome = await sender.send(attempt(receiver.url(path), timeout_s=1))
    assert not outcome.delivered
    assert [got.path for got in receiver.requests[1:]] == [path] * (2 if path == "/reset" else 1)


async def test_an_endpoint_has_ten_requests_under_way_and_no_more(
    receiver: Receiver, sender: HttpSender
) -> None:
    sends = [asyncio.create_task(sender.send(attempt(receiver.url("/hang"), timeout_s=1))) for _ in range(15)]
    most = LIMITS.in_flight_per_endpoint_max
    await receiver.until(lambda: receiver.under_way["/hang"] == most)
    outcomes = await asyncio.gather(*sends)
    assert receiver.under_way_max["/hang"] == most
    assert {outcome.error_class for outcome in outcomes} == {ErrorClass.TIMEOUT}
    # Those that had to wait for a place were given their whole second after it.
    assert all(950 < outcome.duration_ms < 2_000 for outcome in outcomes)


async def test_an_endpoint_that_hangs_holds_up_no_other(receiver: Receiver, sender: HttpSender) -> None:
    stuck = [asyncio.create_task(sender.send(attempt(receiver.url("/hang")))) for _ in range(30)]
    await receiver.until(lambda: receiver.under_way["/hang"] == LIMITS.in_flight_per_endpoint_max)
    outcomes = [await sender.send(attempt(receiver.url("/ok"), endpoint="whe_2")) for _ in range(50)]
    assert all(outcome.delivered for outcome in outcomes)
    assert max(outcome.duration_ms for outcome in outcomes) < 500
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)
    await receiver.until(lambda: receiver.under_way["/hang"] == 0)


async def test_a_cancelled_delivery_gives_its_place_back(receiver: Receiver) -> None:
    async with HttpSender(
        GATE, limits=replace(LIMITS, in_flight_per_endpoint_max=1, in_flight_max=1)
    ) as sender:
        stuck = asyncio.create_task(sender.send(attempt(receiver.url("/hang"))))
        waiting = asyncio.create_task(sender.send(attempt(receiver.url("/hang"))))
        await receiver.until(lambda: receiver.under_way["/hang"] == 1)
        stuck.cancel()
        waiting.cancel()
        await asyncio.gather(stuck, waiting, return_exceptions=True)
        assert (await sender.send(attempt(receiver.url("/ok")))).delivered


async def test_closing_ends_every_connection_and_sending_afterwards_is_our_own_fault(
    receiver: Receiver,
) -> None:
    sender = HttpSender(GATE)
    assert (await sender.send(attempt(receiver.url("/ok")))).delivered
    await sender.close()
    await receiver.until(lambda: receiver.connections_open == 0)
    outcome = await sender.send(attempt(receiver.url("/ok")))
    assert outcome.error_class is ErrorClass.INTERNAL


async def test_a_receiver_that_recovers_gets_what_is_sent_again(
    receiver: Receiver, sender: HttpSender
) -> None:
    receiver.answers("/hook", 500, 503, 200)
    outcomes: list[Outcome] = [await sender.send(attempt(receiver.url("/hook"))) for _ in range(4)]
    assert [outcome.status for outcome in outcomes] == [500, 503, 200, 200]
    assert len({got.headers["webhook-id"] for got in receiver.requests}) == 1


async def test_the_null_twin_takes_everything_and_remembers_the_last() -> None:
    twin = NullSender()
    for number in range(REMEMBERED_MAX + 1):
        assert (await twin.send(attempt(f"https://a.example/{number}"))).delivered
    await twin.close()
    assert len(twin.attempts) == REMEMBERED_MAX
    assert twin.attempts[-1].url == f"https://a.example/{REMEMBERED_MAX}"
