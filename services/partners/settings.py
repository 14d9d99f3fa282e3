"""The settings of partners: those every service has, and what signing people in needs."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from shared.settings import Settings


class PartnersSettings(Settings):
    """The directory is here, so this is the service that browsers sign in at."""

    oidc_client_id: str = Field(
        "concord-web", description="The name under which the issuer knows Concord when it signs people in."
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="The secret that belongs to that name; absent: the issuer knows none, PKCE alone."
    )
    help_contact: str = Field(
        "",
        description="The mail address that the page of help names; empty: it speaks of the administrators.",
        max_length=254,
    )

    @model_validator(mode="after")
    def tell_ways_in_apart(self) -> Self:
        if self.oidc_client_id == self.oidc_audience:
            raise ValueError(
                "CONCORD_OIDC_CLIENT_ID must differ from CONCORD_OIDC_AUDIENCE: "
                "what signs a person in must be of no use at the API"
            )
        return self
