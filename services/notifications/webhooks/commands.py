"""What may be asked about webhook endpoints."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, SecretStr


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True)


class RegisterEndpoint(_Command):
    url: str
    types: tuple[str, ...]


class RotateSecret(_Command):
    endpoint_id: str
    grace_s: int


class DisableEndpoint(_Command):
    endpoint_id: str
    reason: str


class EnableEndpoint(_Command):
    endpoint_id: str
    reason: str


class NewSecret(_Command):
    """A secret that has just been made: shown once, to whoever asked for it."""

    endpoint_id: str
    secret: SecretStr
    old_until: datetime | None
