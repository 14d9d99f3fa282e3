"""What is in the house before its screens are tried: enough of everything for each to show something."""

from deploy.local.personas import DEMO_PARTNER_ID
from tests.support.house import House


async def furnished(house: House) -> dict[str, str]:
    """Names for the paths of screens, each with the id it stands for."""
    await house.see("officer", f"/partners/v1/partners/{DEMO_PARTNER_ID}")
    return {"partner": DEMO_PARTNER_ID}
