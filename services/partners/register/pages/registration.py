"""Registering a partner: a task list that is saved and returned to, one group of questions a page.

Begun, a draft lists what is answered and what is not. Each group is a page; saved, it leads to the next that
is open, and at the end to all answers on one page, from which the registration is sent. Whether the name is
taken is said while it is typed, where scripts run, and before it is sent, always.
"""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from services.partners.people.commands import Details, Language, PersonName
from services.partners.people.pages.fields import EmailField, language_options
from services.partners.register import handlers
from services.partners.register.commands import (
    AnswerContact,
    AnswerCountry,
    AnswerName,
    DiscardDraft,
    SendDraft,
)
from services.partners.register.domain.draft import DRAFT_KEPT, Draft, Section
from services.partners.register.domain.partner import LEGAL_NAME_LENGTH_MAX
from services.partners.register.drafts import my_draft
from services.partners.register.pages.telling import TEMPLATES
from services.partners.register.queries import Reach, partners_of_name, require_reach
from shared.contracts.vocabulary import PartnerKind
from shared.errors import Invalid
from shared.web.act import Act, act_page
from shared.web.ask import Ask
from shared.web.countries import country_options
from shared.web.forms import FormModel
from shared.web.language import _
from shared.web.pages import Pages
from shared.web.words import word

pages = Pages("register", templates=TEMPLATES)

REGISTER = "partner:register"


class NameForm(FormModel):
    legal_name: Annotated[str, Field(max_length=LEGAL_NAME_LENGTH_MAX)]
    kind: PartnerKind


class CountryForm(FormModel):
    country: Annotated[str, Field(max_length=3)]


class ContactForm(FormModel):
    name: PersonName
    email: EmailField
    language: Language


@pages.get("/partners/register", may=REGISTER)
async def before_the_first_question(ask: Ask) -> Response:
    return ask.page("register/begin.html", days_kept=DRAFT_KEPT.days)


@pages.post("/partners/register", may=REGISTER, again=before_the_first_question)
async def begin(ask: Ask) -> Response:
    draft = await handlers.begin_draft(ask.work)
    return ask.see_other(_address(draft))


@pages.get("/partners/drafts/{id}", may=REGISTER)
async def task_list(ask: Ask) -> Response:
    draft = await my_draft(ask.work, ask.path("id"))
    tasks = [_task(draft, section) for section in Section]
    return ask.page("register/draft.html", draft=draft, tasks=[*tasks, _last_task(draft)])


def _task(draft: Draft, section: Section) -> tuple[str, str, str, str]:
    tone, said = ("good", _("Answered")) if draft.is_answered(section) else ("plain", _("Not yet answered"))
    return f"{_address(draft)}/{section}", word(section), tone, said


def _last_task(draft: Draft) -> tuple[str, str, str, str]:
    if draft.open_sections:
        return "", _("Check and send"), "plain", _("After the questions above")
    return f"{_address(draft)}/check", _("Check and send"), "wait", _("Ready to be sent")


@pages.get("/partners/drafts/{id}/name", may=REGISTER)
async def name_page(ask: Ask) -> Response:
    draft = await my_draft(ask.work, ask.path("id"))
    same = await partners_of_name(ask.work, draft.legal_name or "", draft.country)
    return ask.page("register/draft_name.html", draft=draft, same=same, kinds=_kind_choices())


@pages.post("/partners/drafts/{id}/name", may=REGISTER, again=name_page)
async def answer_name(ask: Ask) -> Response:
    form = ask.form(NameForm)
    command = AnswerName(draft_id=ask.path("id"), legal_name=form.legal_name, kind=form.kind)
    return _onwards(ask, await handlers.answer_name(command, ask.work))


@pages.get("/partners/drafts/{id}/country", may=REGISTER)
async def country_page(ask: Ask) -> Response:
    draft = await my_draft(ask.work, ask.path("id"))
    return ask.page("register/draft_country.html", draft=draft, countries=_countries_in_reach(ask))


@pages.post("/partners/drafts/{id}/country", may=REGISTER, again=country_page)
async def answer_country(ask: Ask) -> Response:
    country = ask.form(CountryForm).country
    if country not in {code for code, _name in _countries_in_reach(ask)}:
        raise Invalid("country_not_offered", "Choose one of the countries of the list", field="country")
    command = AnswerCountry(draft_id=ask.path("id"), country=country)
    return _onwards(ask, await handlers.answer_country(command, ask.work))


@pages.get("/partners/drafts/{id}/contact", may=REGISTER)
async def contact_page(ask: Ask) -> Response:
    draft = await my_draft(ask.work, ask.path("id"))
    return ask.page("register/draft_contact.html", draft=draft, tongues=language_options(ask.formats))


@pages.post("/partners/drafts/{id}/contact", may=REGISTER, again=contact_page)
async def answer_contact(ask: Ask) -> Response:
    details = Details(**dict(ask.form(ContactForm)))
    command = AnswerContact(draft_id=ask.path("id"), contact=details)
    return _onwards(ask, await handlers.answer_contact(command, ask.work))


@pages.get("/partners/drafts/{id}/check", may=REGISTER)
async def check_page(ask: Ask) -> Response:
    draft = await my_draft(ask.work, ask.path("id"))
    if draft.open_sections and not ask.errors:
        return ask.see_other(_address(draft))
    same = await partners_of_name(ask.work, draft.legal_name or "")
    taken = [one for one in same if one.country == draft.country]
    elsewhere = [one for one in same if one.country != draft.country]
    return ask.page("register/draft_check.html", draft=draft, taken=taken, elsewhere=elsewhere)


@pages.post("/partners/drafts/{id}/check", may=REGISTER, again=check_page)
async def send(ask: Ask) -> Response:
    partner = await handlers.send_draft(SendDraft(draft_id=ask.path("id")), ask.work)
    require_reach(ask.work, partner, REGISTER)
    return ask.see_other(f"/partners/{partner.id}", done="registered")


@pages.get("/partners/drafts/{id}/discard", may=REGISTER)
async def discard_page(ask: Ask) -> Response:
    draft = await my_draft(ask.work, ask.path("id"))
    act = Act(
        title=_("Discard this draft?"),
        lead=draft.legal_name or "",
        points=(
            _("What you answered is deleted at once and cannot be brought back."),
            _("Nobody else is told: nobody else has seen it."),
        ),
        button=_("Discard the draft"),
        back=_address(draft),
        back_name=_("Register a partner"),
        version=draft.version,
        is_grave=True,
    )
    return act_page(ask, act)


@pages.post("/partners/drafts/{id}/discard", may=REGISTER, again=discard_page)
async def discard(ask: Ask) -> Response:
    await handlers.discard_draft(DiscardDraft(draft_id=ask.path("id")), ask.work)
    return ask.see_other("/partners", done="discarded")


def _onwards(ask: Ask, draft: Draft) -> Response:
    """To the next open group of questions, or to the list where the reader wants to leave it there."""
    if ask.sent.get("then") == "list":
        return ask.see_other(_address(draft), done="saved")
    following = draft.open_sections[0] if draft.open_sections else "check"
    return ask.see_other(f"{_address(draft)}/{following}")


def _address(draft: Draft) -> str:
    return f"/partners/drafts/{draft.id}"


def _countries_in_reach(ask: Ask) -> list[tuple[str, str]]:
    """Who may register in some countries only is offered those."""
    reach = Reach.of(ask.actor, REGISTER)
    options = country_options(ask.formats)
    return [
        one for one in options if reach.countries is None or reach.is_unlimited or one[0] in reach.countries
    ]


def _kind_choices() -> list[tuple[PartnerKind, str, str]]:
    hints = {
        PartnerKind.GOVERNMENT: _("A State, and its ministries and agencies"),
        PartnerKind.UN_ENTITY: _("A programme, fund or agency of the United Nations"),
        PartnerKind.LOCAL_GOVERNMENT: _("A city, a region, or an association of them"),
        PartnerKind.CIVIL_SOCIETY: _("Everybody else: associations, networks, universities, foundations"),
    }
    return [(kind, word(kind), hints[kind]) for kind in PartnerKind]
