"""An agreement as a page shows it: with its partner, what is next and by when, and the way it has come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.agreements.instruments import queries
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.states import Status
from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import PartnerStanding
from services.agreements.standing.queries import standings_of
from shared.contracts.agreements.agreement import Party
from shared.storage.mongo import Mongo
from shared.web.ask import Ask
from shared.web.formats import Formats
from shared.web.language import _


@dataclass(frozen=True, kw_only=True)
class Shown:
    """`ours`: whoever looks is one of the organisation's people."""

    agreement: Agreement
    partner: PartnerStanding
    version: int = 0
    ours: bool = False

    @property
    def is_held(self) -> bool:
        return bool(self.agreement.holds) or self.partner.is_suspended


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """`at`, an instant, or `on`, a day: by when; neither where there is no date to it."""

    said: str
    at: datetime | None = None
    on: date | None = None


async def shown(ask: Ask, permission: str = "agreement:read") -> Shown:
    """The agreement the address names, if it is theirs to know."""
    agreement = await queries.agreement_in_reach(ask.work, ask.path("id"), permission)
    partners = await standings_of(ask.work.mongo, [agreement.partner_id])
    version = ask.work.version_of(agreement.id)
    assert version is not None, "it was loaded a moment ago"
    reach = Reach.of(ask.actor.grants, permission)
    return Shown(
        agreement=agreement,
        partner=partners[agreement.partner_id],
        version=version,
        ours=reach.covers(agreement.partner_id, agreement.country),
    )


async def all_shown(mongo: Mongo, agreements: Iterable[Agreement]) -> list[Shown]:
    agreements = list(agreements)
    partners = await standings_of(mongo, (agreement.partner_id for agreement in agreements))
    return [Shown(agreement=one, partner=partners[one.partner_id]) for one in agreements]


def next_step(shown: Shown) -> NextStep | None:
    agreement, held = shown.agreement, _("Waits until the partner is reinstated")
    match agreement.status:
        case Status.DRAFT:
            return NextStep(said=held if shown.is_held else _("To be sent for signature"))
        case Status.IN_SIGNATURE:
            said = held if shown.is_held else _who_signs(agreement.sent_round.pending)
            return NextStep(said=said, at=agreement.sent_round.closes_at)
        case Status.SIGNED:
            if shown.is_held:
                return NextStep(said=held, on=agreement.term.ends_on)
            return NextStep(said=_("Enters into force"), on=agreement.term.starts_on)
        case Status.IN_FORCE:
            return NextStep(said=_("Last day in force"), on=agreement.term.ends_on)
    return None


def _who_signs(pending: frozenset[Party]) -> str:
    if pending == {Party.ORGANISATION}:
        return _("The organisation signs")
    return _("The partner signs") if pending == {Party.PARTNER} else _("Both sides sign")


def way(agreement: Agreement, sent_at: datetime | None, fmt: Formats) -> list[tuple[str, str, str]]:
    """Draft, out for signature, both signatures in the order they came, in force, ended; where it is now."""
    steps = [
        ("draft", _("Drafted"), ""),
        ("sent", _("Sent for signature"), fmt.moment(sent_at)),
        *_signatures(agreement, fmt),
        ("in_force", _("In force"), fmt.date(agreement.effective_on or agreement.term.starts_on)),
        ("ended", _("Ended"), fmt.date(agreement.term.ends_on)),
    ]
    if agreement.status is Status.LAPSED:
        steps = [*steps[:-2], ("lapsed", _("Lapsed"), fmt.moment(agreement.sent_round.closes_at))]
    here = _HERE.get(agreement.status) or _last_signed(agreement) or "sent"
    at = [key for key, _name, _more in steps].index(here)
    states = ["done"] * at + ["here"] + ["later"] * (len(steps) - at - 1)
    if agreement.status is Status.LAPSED:
        signed = {signature.party.value for signature in agreement.sent_round.signatures}
        states = [
            "later" if key in _SIDES and key not in signed else state
            for state, (key, _name, _more) in zip(states, steps, strict=True)
        ]
    return [(state, name, more) for state, (_key, name, more) in zip(states, steps, strict=True)]


_SIDES = frozenset(party.value for party in Party)
_HERE: Mapping[Status, str] = {
    Status.DRAFT: "draft",
    Status.IN_FORCE: "in_force",
    Status.EXPIRED: "ended",
    Status.LAPSED: "lapsed",
}


def _signatures(agreement: Agreement, fmt: Formats) -> list[tuple[str, str, str]]:
    names = {
        Party.ORGANISATION: _("Signed by the organisation"),
        Party.PARTNER: _("Signed by the partner"),
    }
    signed = agreement.round.signatures if agreement.round else ()
    done = [(str(one.party), names.pop(one.party), fmt.moment(one.signed_at)) for one in signed]
    return [*done, *((str(party), name, "") for party, name in names.items())]


def _last_signed(agreement: Agreement) -> str | None:
    signed = agreement.round.signatures if agreement.round else ()
    return str(signed[-1].party) if signed else None
