"""What the demonstration's receiver got, and how it answers."""

from typing import Literal

from starlette.responses import Response

from services.notifications.webhooks.demo_receiver import ANSWERS, KEPT_MAX, PATH, DemoReceiver
from services.notifications.webhooks.handlers import MANAGE
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.language import _
from shared.web.pages import Pages


class AnswerForm(FormModel):
    answer: Literal["204", "503", "410"]


def add_demo_receiver_pages(pages: Pages, receiver: DemoReceiver) -> None:
    @pages.get(PATH, may=MANAGE)
    async def shown(ask: Ask) -> Response:
        return ask.page(
            "webhooks/demo_receiver.html",
            receipts=receiver.receipts(),
            answer=receiver.answer,
            answers=_answers(),
            kept_max=KEPT_MAX,
            url=f"{ask.site.origin}{PATH}",
        )

    @pages.post(f"{PATH}/answers", may=MANAGE, again=shown)
    async def answer_so(ask: Ask) -> Response:
        status = int(ask.form(AnswerForm).answer)
        ask.work.after_commit.append(lambda: setattr(receiver, "answer", status))
        return ask.see_other(PATH, done="answers")


def _answers() -> list[tuple[int, str, str]]:
    said = (
        (_("Take it (204)"), _("Each delivery ends well.")),
        (_("Fail (503)"), _("It is tried again, later and later; after some failures the endpoint rests.")),
        (
            _("Say that it is gone (410)"),
            _("The endpoint is switched off at once; what comes is kept."),
        ),
    )
    return [(status, *words) for status, words in zip(ANSWERS, said, strict=True)]
