"""`python -m deploy.local.oidc`: the demonstration's sign-in as a process of its own."""

import asyncio
import signal
import sys

from pydantic import ValidationError

from deploy.local.oidc.server import running_provider
from deploy.local.oidc.settings import OidcSettings
from deploy.local.refusals import CannotStart

SETTINGS_WRONG = 78  # As in sysexits.h, where the launcher takes its statuses from.


def main() -> int:
    try:
        asyncio.run(serve(OidcSettings()))
    except ValidationError as wrong:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in wrong.errors())
        print(f"The sign-in's settings are wrong: {faults}", file=sys.stderr)
        return SETTINGS_WRONG
    except CannotStart as reason:
        print(reason, file=sys.stderr)
        return reason.status
    return 0


async def serve(settings: OidcSettings) -> None:
    asked_to_stop = asyncio.Event()
    for asking in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(asking, asked_to_stop.set)
    async with running_provider(settings) as provider:
        print(f"oidc ready {provider.issuer}", flush=True)
        await asked_to_stop.wait()


if __name__ == "__main__":
    sys.exit(main())
