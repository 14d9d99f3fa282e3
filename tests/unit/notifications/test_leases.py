"""How long each thing takes at most fits into how long it is held."""

from services.notifications.deliveries.ledger import LEASE_S
from services.notifications.deliveries.sending import CLOCK_MARGIN_S, STOP_S
from services.notifications.email.adapters.smtp import SmtpSettings
from services.notifications.email.carrier import CARRY_S_MAX
from services.notifications.email.carrier import WIDTH as MAIL_WIDTH
from services.notifications.inbox.carrier import InboxCarrier
from services.notifications.main import MAIL_COMMAND_TIMEOUT_S
from services.notifications.webhooks.carrier import AROUND_S
from services.notifications.webhooks.domain import ATTEMPT_TIMEOUT_S_MAX
from shared.application import WORKER_STOP_S
from shared.contracts.notifications.delivery import Channel

# Greeting, hello twice around TLS, login, sender, recipient, data; and twice where a kept connection is lost.
COMMANDS_MAX = 7


def test_a_delivery_is_over_before_its_lease_is() -> None:
    longest_s = {
        Channel.INBOX: InboxCarrier.carry_s_max,
        Channel.EMAIL: CARRY_S_MAX,
        Channel.WEBHOOK: ATTEMPT_TIMEOUT_S_MAX + AROUND_S,
    }
    for channel in Channel:
        assert longest_s[channel] + CLOCK_MARGIN_S < LEASE_S[channel], channel


def test_a_message_is_over_when_its_carrier_says_so() -> None:
    mail = SmtpSettings(host="mail.example.org", port=587, command_timeout_s=MAIL_COMMAND_TIMEOUT_S)
    commands_s = COMMANDS_MAX * mail.command_timeout_s + mail.connect_timeout_s
    assert commands_s + mail.handover_timeout_s < CARRY_S_MAX
    assert mail.connections_max >= MAIL_WIDTH, "who waits for a connection would wait on the lease"


def test_a_sender_ends_within_what_a_service_gives_its_workers() -> None:
    assert STOP_S < WORKER_STOP_S
