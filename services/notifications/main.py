"""The composition root: the only place where the parts of notifications are made and put together."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.notifications.address_book.adapters.partners_http import PartnersHttp
from services.notifications.address_book.deadlines import deadlines as address_book_deadlines
from services.notifications.address_book.documents import ADDRESSES_KEPT as BOOK_OF_ADDRESSES
from services.notifications.address_book.subscribers import SUBSCRIPTIONS as ADDRESS_BOOK_HEARS
from services.notifications.clock.adapters.clocks_http import ClocksHttp
from services.notifications.clock.pages import clock_pages
from services.notifications.deliveries import documents as deliveries_documents
from services.notifications.deliveries import routes as deliveries_routes
from services.notifications.deliveries import subscribers as people
from services.notifications.deliveries.ledger import Ledger
from services.notifications.deliveries.opening import HandOver, Opening
from services.notifications.deliveries.readers import Readers
from services.notifications.deliveries.sending import Sender
from services.notifications.email.adapters import Mailer
from services.notifications.email.adapters.mailbox import DemoMailbox
from services.notifications.email.adapters.smtp import SmtpMailer, SmtpSettings, Tls
from services.notifications.email.carrier import EmailCarrier
from services.notifications.email.domain import Mailbox
from services.notifications.email.pages import mailbox_pages
from services.notifications.email.routes import mailbox_routes
from services.notifications.feed.arrivals import Arrivals
from services.notifications.feed.documents import FEED_KEPT, MARKS_KEPT
from services.notifications.feed.pages import feed_pages
from services.notifications.feed.queries import Feed
from services.notifications.feed.routes import feed_routes
from services.notifications.feed.subscribers import subscriptions as feed_hears
from services.notifications.inbox.carrier import InboxCarrier
from services.notifications.inbox.documents import COUNTERS_KEPT, INBOX_KEPT
from services.notifications.inbox.pages import inbox_pages
from services.notifications.inbox.routes import inbox_routes
from services.notifications.inbox.streams import Streams
from services.notifications.settings import NotificationsSettings
from services.notifications.tasks import pages as tasks_pages
from services.notifications.tasks import routes as tasks_routes
from services.notifications.tasks.documents import COLLECTIONS as TASKS_KEPT
from services.notifications.tasks.subscribers import SUBSCRIPTIONS as TASKS_HEAR
from services.notifications.webhooks import documents as webhooks_documents
from services.notifications.webhooks import subscribers as systems
from services.notifications.webhooks.adapters.http_sender import HttpSender, SenderLimits
from services.notifications.webhooks.bodies import Bodies
from services.notifications.webhooks.book import Book
from services.notifications.webhooks.carrier import WebhookCarrier
from services.notifications.webhooks.demo_receiver import DemoReceiver
from services.notifications.webhooks.handlers import Premises
from services.notifications.webhooks.pages.all import webhook_pages
from services.notifications.webhooks.routes import webhook_routes
from shared.clock import MovableClock
from shared.contracts.notifications.delivery import Channel
from shared.http.directory_projection import directory_room
from shared.service import Room, Runtime, Worker
from shared.web.pages import Pages

# Every endpoint has its own limit; many that hang must not take the places of the others.
WEBHOOKS_UNDER_WAY_MAX = 10_000
# A message with all its commands and the server's last word stays within the lease of its delivery.
MAIL_COMMAND_TIMEOUT_S = 12.0


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What the rooms share. `senders` is filled as the channels are made."""

    runtime: Runtime
    settings: NotificationsSettings
    ledger: Ledger
    readers: Readers
    opening: Opening
    senders: dict[Channel, HandOver]


def build(runtime: Runtime, settings: NotificationsSettings) -> tuple[Room, ...]:
    ledger, senders = Ledger(runtime.mongo, runtime.clock), dict[Channel, HandOver]()
    parts = _Parts(
        runtime=runtime,
        settings=settings,
        ledger=ledger,
        readers=Readers(runtime.mongo, runtime.clock),
        opening=Opening(ledger, senders),
        senders=senders,
    )
    return (
        directory_room(),
        _address_book(parts),
        _deliveries(parts),
        _inbox(parts),
        Room(
            name="tasks",
            collections=TASKS_KEPT,
            subscriptions=TASKS_HEAR,
            routes=(tasks_routes.routes, tasks_pages.pages),
        ),
        _email(parts),
        _webhooks(parts),
        _feed(parts),
        *_clock(parts),
    )


def _address_book(parts: _Parts) -> Room:
    settings = parts.settings
    source = PartnersHttp(settings.partners_url, settings.internal_key.get_secret_value())
    return Room(
        name="address_book",
        collections=(BOOK_OF_ADDRESSES,),
        subscriptions=ADDRESS_BOOK_HEARS,
        deadlines=address_book_deadlines(source),
        workers=(_closing("address-source", source.close),),
    )


def _deliveries(parts: _Parts) -> Room:
    return Room(
        name="deliveries",
        repositories=(deliveries_documents.delivery_facts,),
        collections=deliveries_documents.COLLECTIONS,
        subscriptions=people.subscriptions(parts.opening),
        routes=(deliveries_routes.routes,),
    )


def _inbox(parts: _Parts) -> Room:
    streams = Streams(parts.runtime.mongo, parts.runtime.clock)
    carrier = InboxCarrier(parts.readers.may_be_told, streams)
    sender = Sender(parts.runtime, parts.ledger, carrier)
    parts.senders[Channel.INBOX] = sender.hand_over
    following = Worker(name="inbox-streams", run=streams.run, stop=streams.stop)
    return Room(
        name="inbox",
        collections=(INBOX_KEPT, COUNTERS_KEPT),
        routes=(inbox_routes(streams), inbox_pages(streams)),
        workers=(Worker(name="inbox-sender", run=sender.run, stop=sender.stop), following),
    )


def _email(parts: _Parts) -> Room:
    settings = parts.settings
    mailbox = DemoMailbox() if settings.demo and settings.mail_host is None else None
    carrier = EmailCarrier(
        parts.runtime,
        readers=parts.readers,
        sender=Mailbox(settings.mail_from, settings.mail_from_name),
        open_mailer=lambda: _mailer(settings, mailbox),
    )
    sender = Sender(parts.runtime, parts.ledger, carrier)
    parts.senders[Channel.EMAIL] = sender.hand_over

    async def close() -> None:
        await carrier.close()
        if mailbox is not None:
            await mailbox.close()

    first = mailbox.start if mailbox is not None else None
    return Room(
        name="email",
        routes=() if mailbox is None else (mailbox_routes(mailbox), mailbox_pages(mailbox)),
        workers=(_sending("email-sender", sender, first=first, last=close),),
    )


def _mailer(settings: NotificationsSettings, mailbox: DemoMailbox | None) -> Mailer:
    """Made when the first message goes: the mailbox has its port by then."""
    if mailbox is not None:
        return SmtpMailer(SmtpSettings(host=mailbox.host, port=mailbox.port, tls=Tls.OFF))
    assert settings.mail_host is not None, "settings of a house that is no demo name a mail server"
    return SmtpMailer(
        SmtpSettings(
            host=settings.mail_host,
            port=settings.mail_port,
            tls=Tls(settings.mail_tls),
            user=settings.mail_user,
            password=settings.mail_password.get_secret_value() or None,
            helo_name=settings.mail_from.rpartition("@")[2],
            command_timeout_s=MAIL_COMMAND_TIMEOUT_S,
        )
    )


def _webhooks(parts: _Parts) -> Room:
    runtime, settings = parts.runtime, parts.settings
    book, bodies = Book(runtime.mongo), Bodies(runtime.mongo)
    premises = Premises(gate=settings.gate(), keys=settings.sealing_keys())
    carrier = WebhookCarrier(
        runtime,
        book=book,
        bodies=bodies,
        readers=parts.readers,
        keys=premises.keys,
        open_sender=lambda: HttpSender(
            premises.gate, limits=SenderLimits(in_flight_max=WEBHOOKS_UNDER_WAY_MAX), clock=runtime.clock
        ),
        timeout_s=settings.webhooks_timeout_s,
    )
    sender = Sender(runtime, parts.ledger, carrier)
    parts.senders[Channel.WEBHOOK] = sender.hand_over
    return Room(
        name="webhooks",
        repositories=(webhooks_documents.endpoints,),
        collections=webhooks_documents.COLLECTIONS,
        subscriptions=systems.subscriptions(parts.opening, book, bodies, carrier),
        routes=(webhook_routes(premises), *_webhook_screens(parts, premises)),
        workers=(
            Worker(name="endpoint-book", run=book.follow, stop=book.stop),
            _sending("webhook-sender", sender, first=book.known, last=carrier.close),
        ),
    )


def _webhook_screens(parts: _Parts, premises: Premises) -> tuple[DemoReceiver | Pages, ...]:
    if not parts.settings.demo:
        return (webhook_pages(premises, None),)
    receiver = DemoReceiver(parts.runtime.mongo, parts.runtime.clock, premises.keys)
    return (receiver, webhook_pages(premises, receiver))


def _feed(parts: _Parts) -> Room:
    arrivals = Arrivals()
    feed = Feed(parts.runtime.mongo, arrivals, parts.readers)
    return Room(
        name="feed",
        collections=(FEED_KEPT, MARKS_KEPT),
        subscriptions=feed_hears(arrivals),
        routes=(feed_routes(feed), feed_pages(feed)),
    )


def _clock(parts: _Parts) -> tuple[Room, ...]:
    """Only where there is a clock that can be moved."""
    clock, settings = parts.runtime.clock, parts.settings
    if not isinstance(clock, MovableClock):
        return ()
    urls = {
        "partners": settings.partners_url,
        "agreements": settings.agreements_url or settings.partners_url,
    }
    clocks = ClocksHttp(urls, settings.internal_key.get_secret_value())
    return (
        Room(
            name="clock",
            routes=(clock_pages(clock, clocks),),
            workers=(_closing("other-clocks", clocks.close),),
        ),
    )


def _sending(
    name: str,
    sender: Sender,
    *,
    first: Callable[[], Awaitable[None]] | None,
    last: Callable[[], Awaitable[None]],
) -> Worker:
    """A sender with what must be there before it and what is closed after it."""

    async def run() -> None:
        if first is not None:
            await first()
        await sender.run()
        await last()

    return Worker(name=name, run=run, stop=sender.stop)


def _closing(name: str, close: Callable[[], Awaitable[None]]) -> Worker:
    """Does nothing but close something when the service ends."""
    stopping = asyncio.Event()

    async def run() -> None:
        await stopping.wait()
        await close()

    return Worker(name=name, run=run, stop=stopping.set)
