"""What an installation may be told, and what production refuses."""

import base64
from typing import Any

import pytest
from pydantic import ValidationError

from services.notifications.settings import NotificationsSettings
from services.notifications.webhooks.addresses import denial

KEY = base64.b64encode(bytes(32)).decode()
PRODUCTION: dict[str, Any] = {
    "internal_key": "k" * 32,
    "webhooks_sealing_keys": f"now:{KEY}",
    "mail_host": "mail.example.org",
}


def test_production_reaches_no_private_address() -> None:
    gate = NotificationsSettings(**PRODUCTION).gate()
    assert denial("127.0.0.1", gate) is not None and denial("10.0.0.1", gate) is not None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"webhooks_allowed_networks": "127.0.0.0/8"}, "CONCORD_WEBHOOKS_ALLOWED_NETWORKS"),
        ({"webhooks_sealing_keys": ""}, "CONCORD_WEBHOOKS_SEALING_KEYS"),
        ({"mail_host": None}, "CONCORD_MAIL_HOST"),
    ],
)
def test_production_refuses_what_is_for_the_demo(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        NotificationsSettings(**{**PRODUCTION, **change})


def test_the_demo_reaches_loopback_and_nothing_else_inside() -> None:
    gate = NotificationsSettings(demo=True).gate()
    assert denial("127.0.0.1", gate) is None
    assert denial("10.0.0.1", gate) is not None


def test_the_first_key_seals_and_the_others_still_open() -> None:
    settings = NotificationsSettings(**{**PRODUCTION, "webhooks_sealing_keys": f"new:{KEY}, old:{KEY}"})
    keys = settings.sealing_keys()
    assert (keys.current, set(keys.keys)) == ("new", {"new", "old"})


def test_a_key_that_cannot_be_read_is_not_shown() -> None:
    settings = NotificationsSettings(**{**PRODUCTION, "webhooks_sealing_keys": "now:not base64!"})
    with pytest.raises(ValueError, match="write <id>") as refusal:
        settings.sealing_keys()
    assert "not base64!" not in str(refusal.value)
