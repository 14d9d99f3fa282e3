"""The settings of partners: those every service has."""

from shared.settings import Settings


class PartnersSettings(Settings):
    """The register and the directory need nothing beyond what every service needs."""
