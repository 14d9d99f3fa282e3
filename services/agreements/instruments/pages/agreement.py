"""The page of one agreement: where it is, what holds it, its text, who has signed, and what has happened."""

from starlette.responses import Response

from services.agreements.instruments import queries
from services.agreements.instruments.domain.states import Status
from services.agreements.instruments.pages import past
from services.agreements.instruments.pages.shown import Shown, next_step, shown, way
from services.agreements.instruments.pages.signing import party_of
from services.agreements.standing.domain.reach import Reach
from shared.contracts.agreements.agreement import AgreementHoldOpened, AgreementSentForSignature, Party
from shared.web.ask import Ask
from shared.web.pages import Pages

pages = Pages("instruments")


@pages.get("/agreements/{id}", may="agreement:read")
async def agreement_page(ask: Ask) -> Response:
    one = await shown(ask)
    agreement, mongo = one.agreement, ask.work.mongo
    known = await past.history_of(ask, one, limit=past.IN_SIGHT)
    sent_at = await past.last_at(ask, one, AgreementSentForSignature)
    return ask.page(
        "instruments/agreement.html",
        one=one,
        agreement=agreement,
        next=next_step(one),
        way=way(agreement, sent_at, ask.formats),
        sent_at=sent_at,
        held_since=await past.last_at(ask, one, AgreementHoldOpened) or one.partner.as_of,
        happened=past.worth_telling(known),
        past=past,
        text=await queries.text_of(mongo, agreement),
        sides=list(Party),
        names=await _names(ask, one),
        to_do=_to_do(ask, one),
    )


async def _names(ask: Ask, one: Shown) -> dict[str, str]:
    """Who signed, as they wrote it, by evidence; for those who may see evidence."""
    agreement = one.agreement
    if not Reach.of(ask.actor.grants, "evidence:read").reaches(agreement.partner_id, agreement.country):
        return {}
    return {record["_id"]: record["name"] for record in await queries.evidence_of(ask.work.mongo, agreement)}


def _to_do(ask: Ask, one: Shown) -> list[str]:
    """What this reader can do with it now; the most obvious first."""
    agreement, grants = one.agreement, ask.actor.grants
    if agreement.status is Status.DRAFT:
        wanted = {"send": "agreement:send", "text": "agreement:draft"}
        covers = {
            step: Reach.of(grants, permission).covers(agreement.partner_id, agreement.country)
            for step, permission in wanted.items()
        }
        return [step for step, can in covers.items() if can and not (step == "send" and one.is_held)]
    if agreement.status is not Status.IN_SIGNATURE or one.is_held or not ask.may("agreement:sign"):
        return []
    party = party_of(grants, agreement.partner_id)
    return ["sign"] if party and agreement.signature_of(party) is None else []
