"""Settings every service has. `CONCORD_<AREA>_<NAME>`, each with its default, its unit and one sentence;
`concord settings` prints them.
"""

import sys
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.storage.mongo import Driver


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CONCORD_", frozen=True, extra="ignore")

    demo: bool = Field(
        False, description="Demo mode: personas, a movable clock, a mailbox of our own. Never in production."
    )
    mongo_url: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=rs0", description="Where MongoDB is: a replica set."
    )
    mongo_driver: Driver = Field(
        "motor", description="The MongoDB driver: motor, or pymongo's own asynchronous client."
    )
    mongo_database_prefix: str = Field(
        "concord", description="Databases are <prefix>_<service>.", pattern="^[a-z0-9_]{1,30}$"
    )
    kafka_url: str = Field("127.0.0.1:9092", description="Kafka's bootstrap servers, separated by commas.")
    kafka_topic_prefix: str = Field(
        "",
        description="Put before every topic and group name, so that several houses share a cluster.",
        pattern="^[a-z0-9.]{0,30}$",
    )
    kafka_replication: int = Field(
        1, description="Copies of each topic that is created at start.", ge=1, le=5
    )
    kafka_instance: str = Field(
        "",
        description="A name this replica keeps over restarts, so that its consumer groups hold its place "
        "for a moment instead of sharing its work out; absent: they do not.",
        pattern="^[a-z0-9.-]{0,60}$",
    )
    writer_lease_s: float = Field(
        30.0,
        description="How long a process may be silent before another one takes its log over, in seconds; "
        "longer than MongoDB takes to elect a primary.",
        ge=1,
    )
    http_host: str = Field("127.0.0.1", description="The address the service listens on.")
    http_port: int = Field(
        8080, description="The port the service listens on; 0 takes a free one.", ge=0, le=65535
    )
    public_url: str = Field(
        "",
        description="The origin under which browsers reach the house, such as https://concord.example.org; "
        "empty: the address the service listens on.",
        pattern="^(https?://[^/?#@]+)?$",
    )
    web_dir: Path | None = Field(
        None,
        description="Where requirements/web.txt was installed: what pages bring along that is not ours; "
        "absent: the folder `web` of the Python environment.",
    )
    http_body_bytes_max: int = Field(1_048_576, description="The largest request body, in bytes.", ge=1_024)
    http_request_s_max: float = Field(
        30.0, description="How long a request may take, in seconds, its body's arrival included.", gt=0
    )
    oidc_issuer: str = Field(
        "http://127.0.0.1:8090", description="Who signs people in: the issuer of their tokens, exactly."
    )
    oidc_audience: str = Field("concord", description="The audience a token must name.")
    oidc_jwks_url: str | None = Field(
        None, description="Where the issuer's keys are; found by discovery where absent."
    )
    partners_url: str = Field(
        "http://127.0.0.1:8080", description="Where the partners service answers other services."
    )
    internal_key: SecretStr = Field(
        SecretStr(""),
        description="What services show each other over HTTP; a secret of at least 32 characters.",
    )
    traces_url: str | None = Field(
        None, description="Where OTLP traces are sent over HTTP; absent: they are kept nowhere."
    )
    traces_sample: float = Field(0.1, description="The share of traces that are kept, 0 to 1.", ge=0, le=1)
    log_format: str = Field(
        "json", description="How the log is written: json, or console for people.", pattern="^(json|console)$"
    )

    @property
    def web_folder(self) -> Path:
        return self.web_dir or Path(sys.prefix, "web")

    @model_validator(mode="after")
    def refuse_demo_parts_in_production(self) -> Self:
        if not self.demo and len(self.internal_key.get_secret_value()) < 32:
            raise ValueError("CONCORD_INTERNAL_KEY must be set to a secret of at least 32 characters")
        return self
