"""What an officer does with a draft: change its text, and send it for signature."""

from pydantic import Field
from starlette.responses import Response

from services.agreements.instruments import handlers, queries
from services.agreements.instruments.commands import TEXT_LENGTH_MAX, ChangeText, SendForSignature
from services.agreements.instruments.domain.drafting import would_close_at
from services.agreements.instruments.pages.shown import shown
from shared.http.bodies import Lines
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.pages import Pages

pages = Pages("instruments")


class TextForm(FormModel):
    text: Lines = Field(max_length=TEXT_LENGTH_MAX)


@pages.get("/agreements/{id}/text", may="agreement:draft")
async def text_page(ask: Ask) -> Response:
    one = await shown(ask, "agreement:draft")
    text = await queries.text_of(ask.work.mongo, one.agreement)
    return ask.page("instruments/text.html", one=one, agreement=one.agreement, text=text)


@pages.post("/agreements/{id}/text", may="agreement:draft", again=text_page)
async def change_text(ask: Ask) -> Response:
    command = ChangeText(agreement_id=ask.path("id"), text=ask.form(TextForm).text)
    agreement = await handlers.change_text(command, ask.work)
    return ask.see_other(f"/agreements/{agreement.id}", done="changed")


@pages.get("/agreements/{id}/send", may="agreement:send")
async def send_page(ask: Ask) -> Response:
    """What will happen, before it does."""
    one = await shown(ask, "agreement:send")
    closes_at = would_close_at(one.agreement, ask.work.context.now)
    return ask.page("instruments/send.html", one=one, agreement=one.agreement, closes_at=closes_at)


@pages.post("/agreements/{id}/send", may="agreement:send", again=send_page)
async def send(ask: Ask) -> Response:
    command = SendForSignature(agreement_id=ask.path("id"))
    agreement = await handlers.send_for_signature(command, ask.work)
    return ask.see_other(f"/agreements/{agreement.id}", done="sent")
