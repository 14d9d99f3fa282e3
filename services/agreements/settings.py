"""What the agreements service can be told besides what every service has."""

from pydantic import Field

from shared.settings import Settings


class AgreementsSettings(Settings):
    agreements_chunk: int = Field(
        100,
        description="How many agreements one transaction touches when a partner's standing changes.",
        ge=1,
        le=500,
    )
