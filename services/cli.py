"""The `concord` command: what an operator and a developer ask of the house.

    concord run SERVICE            concord seed                     concord people grant SUBJECT NAME EMAIL
    concord clock advance 10d      concord parked list|show|replay  concord verify
    concord feed tail              concord rebuild SERVICE VIEW     concord settings

What looks at or mends stored data (seed, people, parked, verify, rebuild) opens the database itself, so it
works when nothing else does; what moves a running house (clock, feed) asks it over HTTP.
"""

import asyncio
import getpass
import logging
import os
import re
import sys
import time
from collections.abc import Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx2
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from services.__main__ import (
    SERVICES,
    application,
    problems_of,
    settings_of,
    together,
    wrong_settings,
)
from services.__main__ import main as run_services
from services.partners import seed as partners_seed
from services.partners.people.commands import AdmitPerson, Details
from shared.application import Application
from shared.context import Actor
from shared.contracts.envelope import Unreadable
from shared.contracts.vocabulary import TOPICS
from shared.errors import Refusal, Unavailable
from shared.ids import uuid7
from shared.messaging import kafka, parked
from shared.messaging.view_follower import ViewFollower
from shared.settings import Settings
from shared.storage.verify import verify as verify_record
from shared.telemetry import configure_logging

REFUSED = 1
NOT_WHOLE = 2
LIST_MAX = 200
REQUEST_S = 10.0
# As long as the driver looks for a primary, and a little.
OPEN_S = 6.0
TOPICS_S = 5.0
# The one in an address, between its user and its host.
_PASSWORD = re.compile(r"(//[^/:@]*:)[^/@]*@")
UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

# Whatever is raised on purpose is said in a line; a bug's traceback goes without values, which may be secret.
app = typer.Typer(
    no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_show_locals=False
)
people_app = typer.Typer(no_args_is_help=True, help="The directory, where nobody is admitted yet.")
clock_app = typer.Typer(no_args_is_help=True, help="The demo's clock.")
parked_app = typer.Typer(no_args_is_help=True, help="Messages that could not be handled.")
feed_app = typer.Typer(no_args_is_help=True, help="The feed of events.")
for name, part in {"people": people_app, "clock": clock_app, "parked": parked_app, "feed": feed_app}.items():
    app.add_typer(part, name=name)
out = Console()

Service = Annotated[str, typer.Argument(help=" | ".join(SERVICES))]


@asynccontextmanager
async def opened(service: str, *, writes: bool = False) -> Any:
    """One service, able to load, decide and save; what it writes is sent before it is closed."""
    if service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service}: {', '.join(SERVICES)}")
    made = application(service, settings_of(service, **together()))
    if writes:
        await topics_are_there(made.settings)
    try:
        async with asyncio.timeout(OPEN_S):
            await made.start_for_one_command()
    except TimeoutError:
        await made.mongo.close()
        raise Unavailable("database_away", f"The database did not answer within {OPEN_S:.0f} s") from None
    try:
        yield made
    finally:
        await made.stop()


async def topics_are_there(where: Settings) -> None:
    """In a house that never ran nobody has made them. While Kafka is away, what is written waits."""
    topics = [where.kafka_topic_prefix + topic for topic in TOPICS]
    await kafka.ensure_topics_within(TOPICS_S, where.kafka_url, topics, where.kafka_replication)


def doing(work: Coroutine[Any, Any, int | None]) -> None:
    """Run it, and end with a status that says how it went."""
    configure_logging(Settings(**together()), logging.WARNING)  # type: ignore[arg-type]
    try:
        status = asyncio.run(work)
    except Refusal as refusal:
        out.print(f"[bold]{refusal.code}[/bold]: {refusal.message}", style="red")
        status = REFUSED
    except httpx2.TransportError as error:
        out.print(f"The house does not answer ({type(error).__name__}): is it running?", style="red")
        status = REFUSED
    raise typer.Exit(status or 0)


@app.callback()
def find_the_house() -> None:
    """What the environment does not say is taken from the house of `make run`, if there is one."""
    if "CONCORD_MONGO_URL" not in os.environ:
        from deploy.local.house import addresses

        for name, value in addresses().items():
            os.environ.setdefault(name, value)


@app.command()
def run(service: Annotated[str, typer.Argument(help="a service, or all")]) -> None:
    """Run one service, or all in one process."""
    raise typer.Exit(run_services([service]))


@app.command()
def seed() -> None:
    """The people and partners of the demonstration. Running it again changes nothing."""
    from deploy.local import demo_data  # Only where the demonstration is.

    async def work() -> None:
        began = time.monotonic()
        if not Settings(**together()).demo:  # type: ignore[arg-type]
            raise typer.BadParameter(
                "invented people have no business in production: CONCORD_DEMO is not set"
            )
        async with opened("partners", writes=True) as made:
            await partners_seed.seed(made.runtime, demo_data.PEOPLE, demo_data.PARTNERS)
        took_s = time.monotonic() - began
        out.print(f"{len(demo_data.PEOPLE)} people, {len(demo_data.PARTNERS)} partners ({took_s:.1f} s)")

    doing(work())


@people_app.command()
def grant(subject: str, name: str, email: str, language: str = "en", zone: str = "UTC") -> None:
    """Make the first administrator: whoever signs in as SUBJECT."""

    try:
        details = Details.model_validate({"name": name, "email": email, "language": language})
        command = AdmitPerson(subject=subject, details=details, zone=zone)
    except ValidationError as error:
        raise typer.BadParameter("; ".join(problems_of(error))) from None

    async def work() -> None:
        async with opened("partners", writes=True) as made:
            person = await partners_seed.admit_administrator(made.runtime, command)
        out.print(f"{person.id} is an administrator")

    doing(work())


@clock_app.command()
def advance(by: Annotated[str, typer.Argument(help="such as 10d, 3h or 90m")]) -> None:
    """Move the demo's business time on, in every service."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", by)
    if found is None:
        raise typer.BadParameter("say how far with a unit: 90s, 30m, 3h or 10d")
    by_s = int(found[1]) * UNITS_S[found[2]]

    async def work() -> int:
        async with asking("operator") as client:
            for service in SERVICES:
                answer = await client.post(
                    f"/{service}/v1/clock/advances",
                    json={"by_s": by_s},
                    headers={"Idempotency-Key": str(uuid7())},
                )
                if answer.status_code != 201:
                    return complain(answer)
                out.print(f"{service}: it is {answer.json()['now']}")
        return 0

    doing(work())


@feed_app.command()
def tail(types: str = "", limit: int = 0) -> None:
    """Print events as they come, one a line; Ctrl-C ends it, LIMIT ends it by itself."""

    async def work() -> int:
        printed, cursor = 0, None
        async with asking("operator") as client:
            while True:
                query = {
                    "wait": 5,
                    "limit": 100,
                    **({"cursor": cursor} if cursor else {}),
                    **({"types": types} if types else {}),
                }
                answer = await client.get("/notifications/v1/events", params=query)
                if answer.status_code != 200:
                    return complain(answer)
                page = answer.json()
                for event in page["items"]:
                    out.print_json(data=event, indent=None)
                    printed += 1
                    if limit and printed >= limit:
                        return 0
                cursor = page["next"]

    doing(work())


@parked_app.command("list")
def list_parked(service: Service) -> None:
    """What waits, the longest first."""

    async def work() -> None:
        async with opened(service) as made:
            found = await parked.listed(made.mongo, LIST_MAX)
        table = Table("id", "aggregate", "version", "reason", "since", "behind")
        for one in found:
            table.add_row(
                one["_id"],
                one["subject"],
                str(one["version"]),
                one["reason"],
                one["at"].isoformat(),
                str(one["behind"]),
            )
        out.print(table if found else "Nothing is parked.")

    doing(work())


@parked_app.command("show")
def show_parked(service: Service, id: str) -> None:
    """One message: its bytes, why it is parked, what was done about it."""

    async def work() -> None:
        async with opened(service) as made:
            one = await parked.shown(made.mongo, id)
        for part in (
            "_id",
            "state",
            "reason",
            "error",
            "subject",
            "version",
            "key",
            "headers",
            "at",
            "history",
        ):
            out.print(f"[bold]{part}[/bold]: {one[part]}", highlight=False, markup=True)
        out.print(bytes(one["body"]).decode("utf-8", "replace"), markup=False)

    doing(work())


@parked_app.command("replay")
def replay_parked(
    service: Service,
    consumer: str,
    aggregate: str,
    why: Annotated[str, typer.Option(help="kept in its history")],
) -> None:
    """Handle what waits of one aggregate, in order; stop where one fails again."""

    async def work() -> int:
        async with opened(service, writes=True) as made:
            if consumer not in made.consumers:
                raise typer.BadParameter(f"{service} has {', '.join(made.consumers)}")
            actor = Actor(id=f"operator:{getpass.getuser()}")
            try:
                done = await made.consumers[consumer].replay(aggregate, actor=actor, why=why)
            except Unreadable as unreadable:
                out.print(f"still not readable: {unreadable}", style="red")
                return REFUSED
        out.print(f"{done} replayed")
        return 0

    doing(work())


@app.command()
def verify() -> None:
    """Check chains, logs and states of every service. Ends with status 2 where the record is not whole."""

    async def work() -> int:
        whole = True
        for service in SERVICES:
            async with opened(service) as made:
                repositories = [repository for room in made.rooms for repository in room.repositories]
                report = await verify_record(made.mongo, repositories)
            whole = whole and report.is_whole
            out.print(f"{service}: {report.streams} streams, {report.events} events, {report.logs} logs")
            for finding in report.findings:
                out.print(f"  {finding}", style="red", markup=False)
        out.print("The record is whole." if whole else "The record is NOT whole.")
        return 0 if whole else NOT_WHOLE

    doing(work())


@app.command()
def rebuild(service: Service, view: str) -> None:
    """Fill a view anew beside the live one, then let readers see it."""

    async def work() -> None:
        async with opened(service) as made:
            follower = follower_of(made, view)
            began = time.monotonic()
            generation = await follower.rebuild()
        out.print(f"{view} is now generation {generation} ({time.monotonic() - began:.1f} s)")

    doing(work())


def follower_of(made: Application, view: str) -> ViewFollower:
    views = {found.name: found for room in made.rooms for found in room.views}
    if view not in views:
        raise typer.BadParameter(f"{made.name} has {', '.join(views) or 'no views'}")
    return made.follower(views[view])


@app.command()
def settings() -> None:
    """Every setting, what is in force, and what it means. Secrets are not shown."""
    table = Table("setting", "value", "says")
    seen: set[str] = set()
    for name in SERVICES:
        found = settings_of(name, **together())
        for field, described in type(found).model_fields.items():
            if field not in seen:
                value = _PASSWORD.sub(r"\1**********@", str(getattr(found, field)))
                table.add_row(f"CONCORD_{field.upper()}", value, described.description)
                seen.add(field)
    out.print(table)


@asynccontextmanager
async def asking(persona: str) -> Any:
    """A client of the running house, as a persona of the demo or with the token in CONCORD_TOKEN."""
    where = Settings(**together())  # type: ignore[arg-type]
    async with httpx2.AsyncClient(base_url=where.partners_url, timeout=REQUEST_S, trust_env=False) as client:
        token = os.environ.get("CONCORD_TOKEN") or await persona_token(client, where, persona)
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def persona_token(client: httpx2.AsyncClient, where: Settings, persona: str) -> str:
    if not where.demo:
        raise typer.BadParameter("set CONCORD_TOKEN to a token of somebody who may do this")
    answer = await client.post(
        f"{where.oidc_issuer}/token", data={"grant_type": "urn:concord:demo-persona", "persona": persona}
    )
    return str(answer.json()["access_token"])


def complain(answer: httpx2.Response) -> int:
    out.print(f"{answer.status_code}: {answer.text}", style="red", markup=False)
    return REFUSED


def main() -> None:
    try:
        app(prog_name="concord")
    except ValidationError as error:  # Of the settings: what is typed is looked at where it is taken.
        sys.exit(wrong_settings(error))


if __name__ == "__main__":
    main()
