"""Signing: the exact text, its hash, the sentence that is signed, and a name.

The form carries the hash of the text that was on the page, so a signature never binds another one. For which
side somebody signs is decided by their roles, as the handler decides it again.
"""

from collections.abc import Iterable

from pydantic import Field
from starlette.responses import Response

from services.agreements.instruments import handlers, queries
from services.agreements.instruments.commands import NAME_LENGTH_MAX, NAME_LENGTH_MIN, SignAgreement
from services.agreements.instruments.domain.authority import signing_grant
from services.agreements.instruments.domain.states import Status
from services.agreements.instruments.pages.said import CONSENT
from services.agreements.instruments.pages.shown import shown
from shared.contracts.agreements.agreement import Party
from shared.contracts.vocabulary import Grant
from shared.errors import Forbidden
from shared.web.ask import Ask
from shared.web.forms import FormModel
from shared.web.pages import Pages

pages = Pages("instruments")


class SignatureForm(FormModel):
    party: Party
    text_sha256: str = Field(pattern="^[0-9a-f]{64}$", max_length=64)
    name: str = Field(min_length=NAME_LENGTH_MIN, max_length=NAME_LENGTH_MAX)


@pages.get("/agreements/{id}/sign", may="agreement:sign")
async def sign_page(ask: Ask) -> Response:
    one = await shown(ask, "agreement:sign")
    agreement = one.agreement
    party = party_of(ask.actor.grants, agreement.partner_id)
    if party is None:
        raise Forbidden("not_a_signatory", "You may not sign for this party")
    return ask.page(
        "instruments/sign.html",
        one=one,
        agreement=agreement,
        party=party,
        signature=agreement.signature_of(party),
        text=await queries.text_of(ask.work.mongo, agreement),
        consent=CONSENT[agreement.profile.consent_wording],
    )


@pages.post("/agreements/{id}/sign", may="agreement:sign", again=sign_page)
async def sign(ask: Ask) -> Response:
    """Who signs again gets where they got before."""
    said = ask.form(SignatureForm)
    command = SignAgreement(agreement_id=ask.path("id"), **said.model_dump())
    agreement = await handlers.sign_agreement(command, ask.work)
    done = "in_force" if agreement.status is Status.IN_FORCE else "signed"
    return ask.see_other(f"/agreements/{agreement.id}", done=done)


def party_of(grants: Iterable[Grant], partner_id: str) -> Party | None:
    """The side somebody may sign for."""
    held = tuple(grants)
    for party in Party:
        try:
            signing_grant(held, party, partner_id)
        except Forbidden:
            continue
        return party
    return None
