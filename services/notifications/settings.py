"""Settings of the notifications service."""

import base64
import binascii
import hashlib
from typing import Self

from pydantic import Field, SecretStr, model_validator

from services.notifications.webhooks.addresses import Gate, networks
from services.notifications.webhooks.domain import (
    ATTEMPT_TIMEOUT_S,
    ATTEMPT_TIMEOUT_S_MAX,
    ATTEMPT_TIMEOUT_S_MIN,
)
from services.notifications.webhooks.signing import SealingKeys
from shared.settings import Settings

LOOPBACK = "127.0.0.0/8,::1/128"
# Sealed with it are the secrets of a demo, which is thrown away.
_DEMO_KEY = hashlib.sha256(b"concord demo").digest()


class NotificationsSettings(Settings):
    agreements_url: str = Field(
        "",
        description="Where the agreements service answers other services; empty: where partners does.",
        pattern="^(https?://[^/?#@]+)?$",
    )
    webhooks_allowed_networks: str = Field(
        "",
        description="Private networks that webhooks may reach, separated by commas; demo and tests only.",
    )
    webhooks_denied_networks: str = Field(
        "", description="Networks that webhooks may never reach, such as the cluster's, separated by commas."
    )
    webhooks_timeout_s: float = Field(
        ATTEMPT_TIMEOUT_S,
        description="How long one request to a receiver may take, in seconds.",
        ge=ATTEMPT_TIMEOUT_S_MIN,
        le=ATTEMPT_TIMEOUT_S_MAX,
    )
    webhooks_sealing_keys: SecretStr = Field(
        SecretStr(""),
        description="What seals endpoints' secrets: <id>:<base64 of 32 bytes>, the one in use first, "
        "separated by commas.",
    )
    mail_host: str | None = Field(
        None, description="The mail server that takes our mail; in demo mode absent: a mailbox of our own."
    )
    mail_port: int = Field(587, description="The mail server's port.", ge=1, le=65535)
    mail_tls: str = Field(
        "required",
        description="How the connection to the mail server is protected.",
        pattern="^(required|opportunistic|implicit|off)$",
    )
    mail_user: str | None = Field(None, description="Who we are to the mail server, where it asks.")
    mail_password: SecretStr = Field(SecretStr(""), description="The password for the mail server.")
    mail_from: str = Field("concord@example.org", description="The address our mail comes from.")
    mail_from_name: str = Field("Concord", description="The name shown beside it.")

    @model_validator(mode="after")
    def refuse_demo_parts_of_notifications(self) -> Self:
        if self.demo:
            return self
        if self.webhooks_allowed_networks:
            raise ValueError("CONCORD_WEBHOOKS_ALLOWED_NETWORKS is for the demo and for tests only")
        if not self.webhooks_sealing_keys.get_secret_value():
            raise ValueError("CONCORD_WEBHOOKS_SEALING_KEYS must name a key")
        if self.mail_host is None:
            raise ValueError("CONCORD_MAIL_HOST must name the mail server")
        return self

    def gate(self) -> Gate:
        allowed = self.webhooks_allowed_networks or (LOOPBACK if self.demo else "")
        return Gate(
            open_networks=networks(_listed(allowed)),
            denied_networks=networks(_listed(self.webhooks_denied_networks)),
        )

    def sealing_keys(self) -> SealingKeys:
        listed = _listed(self.webhooks_sealing_keys.get_secret_value())
        if not listed:
            return SealingKeys(current="demo", keys={"demo": _DEMO_KEY})
        keys = dict(_key(one) for one in listed)
        return SealingKeys(current=next(iter(keys)), keys=keys)


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _key(text: str) -> tuple[str, bytes]:
    id, _, encoded = text.partition(":")
    try:
        return id, base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("CONCORD_WEBHOOKS_SEALING_KEYS: write <id>:<base64 of 32 bytes>") from None
