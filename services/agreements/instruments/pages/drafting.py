"""Drafting an agreement as a list of questions, one a page; what was answered is kept until it is saved.

Somebody chooses a partner, which begins an outline of theirs alone; answers the questions in any order and
comes back when they like; reads it all once more; saves. Only then is there an agreement.
"""

from datetime import date

from pydantic import Field
from starlette.responses import Response

from services.agreements.instruments import handlers, outlines
from services.agreements.instruments.commands import TEXT_LENGTH_MAX, TITLE_LENGTH_MAX, TITLE_LENGTH_MIN
from services.agreements.instruments.domain.dates import day_of
from services.agreements.instruments.domain.holds import refuse_while_suspended
from services.agreements.instruments.domain.profiles import KindProfile, current_profile
from services.agreements.instruments.domain.term import Term
from services.agreements.instruments.domain.text import AgreementText
from services.agreements.instruments.outlines import Outline
from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import PartnerStanding
from services.agreements.standing.queries import named_like, standing_in_reach
from shared.contracts.agreements.agreement import AgreementKind
from shared.http.bodies import Lines
from shared.web.ask import Ask
from shared.web.forms import FormDate, FormModel
from shared.web.pages import Pages
from shared.web.words import word

pages = Pages("instruments")

MAY = "agreement:draft"
FOUND_MAX = 20


class Chosen(FormModel):
    partner: str | None = Field(None, max_length=40)
    find: str | None = Field(None, max_length=300)


class PartnerForm(FormModel):
    partner_id: str = Field(max_length=40)


class TitleForm(FormModel):
    kind: AgreementKind
    title: str = Field(min_length=TITLE_LENGTH_MIN, max_length=TITLE_LENGTH_MAX)


class TextForm(FormModel):
    text: Lines = Field(max_length=TEXT_LENGTH_MAX)


class DatesForm(FormModel):
    starts_on: FormDate | None = None
    ends_on: FormDate


@pages.get("/agreements/draft", may=MAY)
async def begin_page(ask: Ask) -> Response:
    """With whom: the one the address names, or one found by name."""
    chosen, unit = ask.query(Chosen), ask.work
    partner = await standing_in_reach(unit, chosen.partner, MAY) if chosen.partner else None
    found: list[PartnerStanding] = []
    if chosen.find:
        found = await named_like(unit.mongo, Reach.of(ask.actor.grants, MAY), chosen.find, FOUND_MAX)
    find = chosen.find or ""
    template = "instruments/draft_begin.html"
    return ask.page(template, partner=partner, find=find, found=found, found_max=FOUND_MAX)


@pages.post("/agreements/draft", may=MAY, again=begin_page)
async def begin(ask: Ask) -> Response:
    partner = await standing_in_reach(ask.work, ask.form(PartnerForm).partner_id, MAY)
    refuse_while_suspended(partner)
    return ask.see_other(_address(outlines.begin(ask.work, partner.id)))


@pages.get("/agreements/draft/{id}", may=MAY)
async def outline_page(ask: Ask) -> Response:
    outline, partner = await _outline(ask)
    return ask.page("instruments/draft.html", outline=outline, partner=partner)


@pages.get("/agreements/draft/{id}/title", may=MAY)
async def title_page(ask: Ask) -> Response:
    outline, partner = await _outline(ask)
    kinds = [(kind.value, word(kind), "") for kind in AgreementKind]
    return ask.page("instruments/draft_title.html", outline=outline, partner=partner, kinds=kinds)


@pages.post("/agreements/draft/{id}/title", may=MAY, again=title_page)
async def answer_title(ask: Ask) -> Response:
    outline, said = await outlines.own(ask.work, ask.path("id")), ask.form(TitleForm)
    return _onwards(ask, outlines.answer(ask.work, outline, kind=said.kind, title=said.title))


@pages.get("/agreements/draft/{id}/text", may=MAY)
async def text_page(ask: Ask) -> Response:
    outline, partner = await _outline(ask)
    return ask.page("instruments/draft_text.html", outline=outline, partner=partner)


@pages.post("/agreements/draft/{id}/text", may=MAY, again=text_page)
async def answer_text(ask: Ask) -> Response:
    outline, said = await outlines.own(ask.work, ask.path("id")), ask.form(TextForm)
    text = AgreementText.of(said.text, _rules(ask, outline))
    return _onwards(ask, outlines.answer(ask.work, outline, text=text.content))


@pages.get("/agreements/draft/{id}/dates", may=MAY)
async def dates_page(ask: Ask) -> Response:
    outline, partner = await _outline(ask)
    rules = _rules(ask, outline)
    return ask.page("instruments/draft_dates.html", outline=outline, partner=partner, rules=rules)


@pages.post("/agreements/draft/{id}/dates", may=MAY, again=dates_page)
async def answer_dates(ask: Ask) -> Response:
    outline, said = await outlines.own(ask.work, ask.path("id")), ask.form(DatesForm)
    rules = _rules(ask, outline)
    Term(starts_on=said.starts_on, ends_on=said.ends_on).check(rules, _today(ask, rules))
    dates = {"starts_on": said.starts_on, "ends_on": said.ends_on}
    return _onwards(ask, outlines.answer(ask.work, outline, **dates))


@pages.get("/agreements/draft/{id}/check", may=MAY)
async def check_page(ask: Ask) -> Response:
    outline, partner = await _outline(ask)
    if outline.open_question != "check":
        return ask.see_other(_address(outline.id, outline.open_question))
    return ask.page("instruments/draft_check.html", outline=outline, partner=partner)


@pages.post("/agreements/draft/{id}/check", may=MAY, again=check_page)
async def save(ask: Ask) -> Response:
    """The agreement is there and the outline gone, in one change."""
    outline = await outlines.own(ask.work, ask.path("id"))
    if outline.open_question != "check":
        return ask.see_other(_address(outline.id, outline.open_question))
    agreement = await handlers.draft_agreement(outline.command(), ask.work)
    outlines.remove(ask.work, outline)
    return ask.see_other(f"/agreements/{agreement.id}", done="drafted")


@pages.post("/agreements/draft/{id}/discard", may=MAY)
async def discard(ask: Ask) -> Response:
    outlines.remove(ask.work, await outlines.own(ask.work, ask.path("id")))
    return ask.see_other("/agreements", done="discarded")


async def _outline(ask: Ask) -> tuple[Outline, PartnerStanding]:
    outline = await outlines.own(ask.work, ask.path("id"))
    return outline, await standing_in_reach(ask.work, outline.partner_id, MAY)


def _onwards(ask: Ask, outline: Outline) -> Response:
    """To the first question that is still open, or to reading it all once more."""
    return ask.see_other(_address(outline.id, outline.open_question))


def _address(id: str, question: str = "") -> str:
    return f"/agreements/draft/{id}/{question}" if question else f"/agreements/draft/{id}"


def _rules(ask: Ask, outline: Outline) -> KindProfile:
    return current_profile(outline.kind or AgreementKind.MEMORANDUM, ask.work.context.now)


def _today(ask: Ask, rules: KindProfile) -> date:
    return day_of(ask.work.context.now, rules.zone)
