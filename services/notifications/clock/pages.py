"""The demonstration's clock: one button for the whole house.

Each service keeps its own clock. This page moves ours in the change of its form, and before that brings the
others to the same level over HTTP; a level asked for twice is the same level. So whatever fails on the way,
the page shows who is behind, and one button brings them level.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field
from starlette.responses import Response

from services.notifications.clock.adapters.clocks_http import ClocksHttp
from services.notifications.deliveries.addresses import page_about
from services.notifications.tasks.pages import SAYINGS
from services.notifications.tasks.queries import open_until
from shared.clock import MovableClock
from shared.http.demo_clock import ahead_of, bring_level
from shared.storage.mongo import Mongo
from shared.storage.timers import TIMERS
from shared.web.ask import Ask
from shared.web.forms import FieldError, FormInvalid, FormModel
from shared.web.language import N_, _
from shared.web.pages import Pages

PATH = "/notifications/clock"
DAY_S = 86_400
DAYS_MAX = 3_660
LOOKED_AHEAD = timedelta(days=10)
LISTED_MAX = 20
KINDS = {"fetch_address": N_("An address is fetched from partners")}


class AdvanceForm(FormModel):
    step: Literal["3600", "86400", "864000", "other"]
    days: int | None = Field(None, ge=1, le=DAYS_MAX)

    def seconds(self) -> int:
        if self.step != "other":
            return int(self.step)
        if self.days is None:
            raise FormInvalid([FieldError("days", _("Say by how many days"))])
        return self.days * DAY_S


def clock_pages(clock: MovableClock, clocks: ClocksHttp) -> Pages:
    pages = Pages("clock", templates=Path(__file__).with_name("templates"))

    @pages.get(PATH, may="clock:advance")
    async def show(ask: Ask) -> Response:
        mongo, until = ask.work.mongo, clock.now() + LOOKED_AHEAD
        others, tasks, jobs = await asyncio.gather(
            clocks.read(), open_until(mongo, until, LISTED_MAX), _jobs(mongo, until)
        )
        own_s = round(clock.ahead.total_seconds())
        off = [one for one in others if one.ahead_s != own_s]
        return ask.page(
            "clock/clock.html",
            now=clock.now(),
            real=clock.real(),
            is_moved=own_s > 0,
            until=until,
            steps=_steps(),
            off=off,
            own_s=own_s,
            tasks=tasks,
            jobs=jobs,
            sayings=SAYINGS,
            address_of=lambda task: page_about(task.about, ask.actor),
        )

    @pages.post(f"{PATH}/advances", may="clock:advance", again=show)
    async def advance(ask: Ask) -> Response:
        by_s = ask.form(AdvanceForm).seconds()
        return await move_to(await ahead_of(ask.work) + by_s, ask)

    @pages.post(f"{PATH}/levels", may="clock:advance", again=show)
    async def level(ask: Ask) -> Response:
        """All as far as the one that is furthest ahead."""
        known = [one.ahead_s or 0 for one in await clocks.read()]
        return await move_to(max(await ahead_of(ask.work), *known), ask)

    async def move_to(ahead_s: int, ask: Ask) -> Response:
        others = await clocks.bring_to(ahead_s)
        await bring_level(ask.work, clock, ahead_s)
        is_whole = all(one.ahead_s is not None for one in others)
        return ask.see_other(PATH, done="advanced" if is_whole else "partly")

    return pages


def _steps() -> list[tuple[str, str, str]]:
    return [
        ("3600", _("By an hour"), ""),
        (str(DAY_S), _("By a day"), ""),
        (str(10 * DAY_S), _("By ten days"), ""),
        ("other", _("By as many days as I say"), ""),
    ]


async def _jobs(mongo: Mongo, until: object) -> list[tuple[str, int]]:
    """Jobs of this service that fall due by then, kind by kind."""
    due = mongo[TIMERS].find({"due_at": {"$lte": until}}, {"kind": 1}).limit(DAYS_MAX)
    counted = Counter([document["kind"] async for document in due])
    return [(KINDS.get(kind, kind), count) for kind, count in counted.most_common()]
