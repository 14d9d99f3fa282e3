"""Screens of the small service, on the real kit: a list, a form, a page with a version, a door that waits."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from shared.errors import Refusal
from shared.http.auth import PUBLIC, SIGNED_IN
from shared.ids import new_id
from shared.service import Room
from shared.web.ask import Ask
from shared.web.forms import FormDate, FormModel
from shared.web.pages import Pages
from shared.web.room import kit_room
from tests.service.http.small_service import gates
from tests.support.writing import members, registered

MEMBERS, NEW = "/partners/members", "/partners/members/new"
NAME_LENGTH_MAX = 100

pages = Pages("members", templates=Path(__file__).with_name("templates"))


class MemberForm(FormModel):
    name: Annotated[str, Field(max_length=NAME_LENGTH_MAX)]
    remark: Annotated[str, Field(max_length=200)] = ""
    seats: Annotated[int, Field(ge=1, le=9)] = 1
    ends_on: FormDate | None = None


@pages.get(MEMBERS, may="partner:read")
async def list_members(ask: Ask) -> Response:
    return ask.page("members/list.html")


@pages.get(NEW, may="partner:register")
async def new_member(ask: Ask) -> Response:
    return ask.page("members/new.html")


@pages.get(f"{MEMBERS}/part", may="partner:read")
async def part(ask: Ask) -> Response:
    return ask.fragment("members/part.html")


@pages.get(f"{MEMBERS}/open", may=PUBLIC)
async def open_to_all(ask: Ask) -> Response:
    return ask.page("members/list.html")


@pages.get(f"{MEMBERS}/self", may=SIGNED_IN)
async def self_page(ask: Ask) -> Response:
    return ask.page("members/list.html")


@pages.get(f"{MEMBERS}/slow/{{gate}}", may="partner:read")
async def slow(ask: Ask) -> Response:
    await gates[ask.path("gate")].pass_through()
    return ask.page("members/list.html")


@pages.get(f"{MEMBERS}/broken", may="partner:read")
async def broken(ask: Ask) -> Response:
    raise RuntimeError("the password of the database is hunter2")


@pages.get(f"{MEMBERS}/{{id}}", may="partner:read")
async def member_page(ask: Ask) -> Response:
    member = await members.load(ask.work, ask.path("id"))
    return ask.page("members/member.html", member=member, version=ask.work.version_of(member.id))


@pages.post(MEMBERS, may="partner:register", again=new_member)
async def register(ask: Ask) -> Response:
    form, id = ask.form(MemberForm), new_id("ptn")
    if form.remark.startswith("gate:"):
        await gates[form.remark.removeprefix("gate:")].pass_through()
    if form.remark == "full":
        raise Refusal("house_full", "There is no room for another member", field="name")
    members.create(ask.work, id, [registered(id, form.name)])
    return ask.see_other(f"{MEMBERS}/{id}", done="registered")


@pages.post(f"{MEMBERS}/{{id}}/turns", may="partner:suspend", again=member_page)
async def turn(ask: Ask) -> Response:
    member = await members.load(ask.work, ask.path("id"))
    members.save(ask.work, member, member.toggle())
    return ask.see_other(f"{MEMBERS}/{member.id}")


ROOMS = (Room(name="member pages", routes=(pages,)), kit_room("partners"))
