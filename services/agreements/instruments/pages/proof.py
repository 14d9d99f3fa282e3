"""What proves an agreement: the exact text, the evidence of signatures, and how anybody checks a copy."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import PlainTextResponse, Response

from services.agreements.instruments import queries
from services.agreements.instruments.domain.evidence import GENESIS, link
from services.agreements.instruments.pages.said import CONSENT
from services.agreements.instruments.pages.shown import shown
from shared.contracts.agreements.agreement import Party
from shared.web.ask import Ask
from shared.web.pages import Pages

pages = Pages("instruments")

# What stands beside the record in its document, and is no part of the link.
_BESIDE = frozenset({"_id", "sha256", "name", "name_salt"})


@dataclass(frozen=True, kw_only=True)
class Link:
    """One signature's evidence. `holds`: the record gives its hash, and names the link before it."""

    record: dict[str, Any]
    party: Party
    signed_at: datetime
    consent: str
    holds: bool


@pages.get("/agreements/{id}/evidence", may="evidence:read")
async def evidence_page(ask: Ask) -> Response:
    """With the names, which are kept as evidence even when a person asks to be forgotten."""
    one = await shown(ask, "evidence:read")
    records = await queries.evidence_of(ask.work.mongo, one.agreement)
    template = "instruments/evidence.html"
    return ask.page(template, one=one, agreement=one.agreement, links=links_of(records))


@pages.get("/agreements/{id}/copy", may="agreement:read")
async def copy_page(ask: Ask) -> Response:
    """How to check a copy, and what to check it against."""
    one = await shown(ask)
    agreement, mongo = one.agreement, ask.work.mongo
    return ask.page(
        "instruments/copy.html",
        one=one,
        agreement=agreement,
        record_sha256=await queries.record_sha256_of(mongo, agreement, one.version),
        links=links_of(await queries.evidence_of(mongo, agreement)),
    )


@pages.get("/agreements/{id}/text.txt", may="agreement:read")
async def exact_text(ask: Ask) -> Response:
    """The very bytes that the hash is of."""
    one = await shown(ask)
    content = await queries.text_of(ask.work.mongo, one.agreement)
    name = (one.agreement.ref or one.agreement.id).replace("/", "-")
    kept = {"Content-Disposition": f'attachment; filename="{name}.txt"', "Cache-Control": "no-store"}
    return PlainTextResponse(content, headers={**kept, **ask.site.headers})


def links_of(records: list[dict[str, Any]]) -> list[Link]:
    found, previous = [], GENESIS
    for record in records:
        fields = {name: value for name, value in record.items() if name not in _BESIDE}
        claimed = record["sha256"]
        holds = (
            link({**fields, "evidence_id": record["_id"]}) == claimed
            and record["previous_sha256"] == previous
        )
        consent = CONSENT[record["wording"]]
        signed_at = datetime.fromisoformat(record["signed_at"])
        party = Party(record["party"])
        found.append(Link(record=record, party=party, signed_at=signed_at, consent=consent, holds=holds))
        previous = claimed
    return found
