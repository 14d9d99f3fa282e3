"""Runs one service, or all in one process: `python -m services partners` (or another, or `all`)."""

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import uvloop
from pydantic import SecretStr, ValidationError

from services.agreements import main as agreements
from services.agreements.settings import AgreementsSettings
from services.notifications import main as notifications
from services.notifications.settings import NotificationsSettings
from services.partners import main as partners
from services.partners.settings import PartnersSettings
from shared.application import Application
from shared.clock import MovableClock
from shared.errors import Permanent
from shared.http.demo_clock import clock_room
from shared.http.directory import Directory
from shared.http.directory_projection import projected_directory
from shared.http.server import Served, serve
from shared.pace import Pace
from shared.service import Room, Runtime
from shared.settings import Settings
from shared.telemetry import configure_logging, configure_traces
from shared.web.room import kit_room
from shared.web.static_files import static_files

NOT_INSTALLED = 69
WRONG_SETTINGS = 78
USAGE = 64


@dataclass(frozen=True)
class Kind:
    """What a service is made of: its settings, its rooms, and where it looks up who may do what."""

    settings: type[Settings]
    build: Callable[[Runtime, Any], Sequence[Room]]
    directory: Callable[[Runtime, Any], Directory]


SERVICES = {
    "partners": Kind(PartnersSettings, partners.build, lambda runtime, _: partners.directory(runtime)),
    "agreements": Kind(AgreementsSettings, agreements.build, projected_directory),
    "notifications": Kind(NotificationsSettings, notifications.build, projected_directory),
}


def application(name: str, settings: Settings, pace: Pace | None = None) -> Application:
    def build(runtime: Runtime, settings: Settings) -> Sequence[Room]:
        rooms = (kit_room(name), *SERVICES[name].build(runtime, settings))
        clock = runtime.clock
        return (*rooms, clock_room(name, clock)) if isinstance(clock, MovableClock) else rooms

    return Application(name, settings, build, pace)


def settings_of(name: str, **changes: object) -> Settings:
    return SERVICES[name].settings(**changes)  # type: ignore[arg-type]


def main(arguments: Sequence[str]) -> int:
    chosen = list(SERVICES) if list(arguments) == ["all"] else list(arguments)
    if len(arguments) != 1 or not set(chosen) <= set(SERVICES):
        sys.stderr.write(f"usage: python -m services {' | '.join([*SERVICES, 'all'])}\n")
        return USAGE
    try:
        changes = together() if len(chosen) > 1 else {}
        settings = {name: settings_of(name, **changes) for name in chosen}
    except ValidationError as error:
        return wrong_settings(error)
    try:
        static_files(next(iter(settings.values())).web_folder)
    except Permanent as error:
        sys.stderr.write(f"Concord cannot start: {error}\n")
        return NOT_INSTALLED
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings))
    return 0


def wrong_settings(error: ValidationError) -> int:
    problems = "".join(f"  {problem}\n" for problem in problems_of(error))
    sys.stderr.write(f"Concord cannot start with these settings:\n{problems}")
    return WRONG_SETTINGS


def problems_of(error: ValidationError) -> list[str]:
    """Field by field, without the values: they may be secret."""
    return [f"{'.'.join(map(str, one['loc'])) or 'settings'}: {one['msg']}" for one in error.errors()]


def together() -> dict[str, object]:
    """Services of one process find each other at their own address. A demonstration needs no secret from
    outside.
    """
    key = os.environ.get("CONCORD_INTERNAL_KEY") or secrets.token_urlsafe(32)
    demo = Settings(internal_key=SecretStr(key))
    own = f"http://{demo.http_host}:{demo.http_port}"
    changes: dict[str, object] = {"partners_url": os.environ.get("CONCORD_PARTNERS_URL", own)}
    return {**changes, "internal_key": key} if demo.demo else changes


async def run(settings: dict[str, Settings]) -> None:
    first = next(iter(settings.values()))
    configure_logging(first)
    configure_traces("concord" if len(settings) > 1 else next(iter(settings)), first)
    served, pace = [], Pace()
    for name, own in settings.items():
        made = application(name, own, pace)
        served.append(Served(made, SERVICES[name].directory(made.runtime, own), own))
    await serve(served, first)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
