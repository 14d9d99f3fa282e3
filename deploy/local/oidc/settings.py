"""Settings of the demonstration's sign-in, named as the services' own settings where they mean the same."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.oidc.clients import Client


class OidcSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="CONCORD_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    demo: bool = Field(False, description="Demo mode. Without it this provider does not start.")
    oidc_host: str = Field("127.0.0.1", description="The address the sign-in listens on.")
    oidc_port: int = Field(
        0, description="The port the sign-in listens on; 0 takes a free one.", ge=0, le=65535
    )
    oidc_issuer: str | None = Field(
        None, description="The issuer that tokens name; absent: the address it listens on."
    )
    oidc_audience: str = Field("concord", description="The audience that access tokens name.")
    oidc_algorithm: Literal["RS256", "ES256"] = Field("RS256", description="What tokens are signed with.")
    oidc_keys_file: Path | None = Field(
        None, description="Where keys are kept over a restart; absent: new keys at each start."
    )
    oidc_key_grace_s: float = Field(
        3600.0, description="How long a key stays published after it was replaced, in seconds.", ge=0
    )
    oidc_client_id: str = Field("concord-web", description="The client that signs people in to Concord.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="That client's secret; absent: a public client, held by PKCE alone."
    )
    oidc_redirect_uris: str = Field(
        "",
        description="Where that client may be sent back to: exact addresses, separated by spaces; one of "
        "127.0.0.1 without a port is good for any port.",
    )
    oidc_signed_out_uris: str = Field(
        "", description="Where that client may be sent after signing out: exact, separated by spaces."
    )

    def client(self) -> Client:
        secret = self.oidc_client_secret
        return Client(
            client_id=self.oidc_client_id,
            secret=secret.get_secret_value() if secret else None,
            redirect_uris=frozenset(self.oidc_redirect_uris.split()),
            signed_out_uris=frozenset(self.oidc_signed_out_uris.split()),
        )
