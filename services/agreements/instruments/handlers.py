"""One function a command: load, decide, save."""

import secrets
from dataclasses import replace

from services.agreements.instruments.commands import (
    ChangeText,
    DraftAgreement,
    SendForSignature,
    SignAgreement,
)
from services.agreements.instruments.documents import agreements, evidence, texts
from services.agreements.instruments.domain import drafting, holds, lifetime, signing
from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.authority import lender, signing_grant
from services.agreements.instruments.domain.dates import day_of
from services.agreements.instruments.domain.evidence import Evidence
from services.agreements.instruments.domain.profiles import current_profile
from services.agreements.instruments.domain.reference import reference, series
from services.agreements.instruments.domain.round import SigningTask
from services.agreements.instruments.domain.states import Move
from services.agreements.instruments.domain.term import Term
from services.agreements.instruments.domain.text import AgreementText
from services.agreements.instruments.numbering import take_number
from services.agreements.instruments.queries import agreement_in_reach, ids_out_of_line
from services.agreements.standing.domain.reach import Reach
from services.agreements.standing.domain.standing import STANDINGS, PartnerStanding
from shared.contracts.agreements.agreement import Party
from shared.contracts.envelope import Event
from shared.errors import Forbidden, Invalid
from shared.ids import new_id
from shared.storage.repository import Unit

TIMERS_BY_MOVE = {
    Move.LAPSE: "lapse_agreement",
    Move.ENTER_INTO_FORCE: "put_agreement_into_force",
    Move.EXPIRE: "expire_agreement",
}


async def draft_agreement(command: DraftAgreement, unit: Unit) -> Agreement:
    partner = await _rely_on(unit, command.partner_id)
    _require_reach(unit, "agreement:draft", partner)
    rules = current_profile(command.kind, unit.context.now)
    text = AgreementText.of(command.text, rules)
    id = new_id("agr")
    events = drafting.draft(
        id,
        partner=partner,
        rules=rules,
        title=command.title,
        text=text,
        term=Term(starts_on=command.starts_on, ends_on=command.ends_on),
        officer_id=unit.context.actor.id,
        now=unit.context.now,
    )
    await _keep_text(unit, text)
    return agreements.create(unit, id, events)


async def change_text(command: ChangeText, unit: Unit) -> Agreement:
    agreement = await agreement_in_reach(unit, command.agreement_id, "agreement:draft")
    text = AgreementText.of(command.text, agreement.profile)
    events = drafting.change_text(agreement, text)
    await _keep_text(unit, text)
    return _save(unit, agreement, events)


async def send_for_signature(command: SendForSignature, unit: Unit) -> Agreement:
    agreement = await agreement_in_reach(unit, command.agreement_id, "agreement:send")
    partner = await _rely_on(unit, agreement.partner_id)
    now = unit.context.now
    drafting.check_sendable(agreement, partner, now)
    numbered_in = series(agreement.profile, agreement.today(now).year)
    ref = reference(numbered_in, await take_number(unit, numbered_in))
    tasks = tuple(SigningTask(id=new_id("tsk"), party=party) for party in Party)
    return _save(unit, agreement, drafting.send(agreement, ref=ref, tasks=tasks, partner=partner, now=now))


async def sign_agreement(command: SignAgreement, unit: Unit) -> Agreement:
    agreement = await agreement_in_reach(unit, command.agreement_id, "agreement:sign")
    grant = signing_grant(unit.context.actor.grants, command.party, agreement.partner_id)
    unit.context = replace(unit.context, on_behalf_of=lender(grant))
    partner = await _rely_on(unit, agreement.partner_id)
    proof = _evidence(command, agreement, unit)
    events = signing.sign(agreement, proof, partner)
    if events:
        unit.change.insert(evidence.name, proof.document())
    return _save(unit, agreement, events)


async def follow_standing(partner_id: str, unit: Unit, *, version: int, agreements_max: int) -> int:
    """Bring the next agreements in line with this version of the partner's standing; how many there were."""
    partner = await _rely_on(unit, partner_id)
    if partner.version != version:
        return 0
    out_of_line = await ids_out_of_line(unit.mongo, partner, agreements_max)
    for id in out_of_line:
        agreement = await agreements.load(unit, id)
        if not agreement.has_ended:  # As it may have since it was found.
            _save(unit, agreement, holds.follow(agreement, partner, unit.context.now))
    return len(out_of_line)


async def lapse_agreement(agreement_id: str, unit: Unit) -> Agreement:
    agreement = await agreements.load(unit, agreement_id)
    return _save(unit, agreement, lifetime.lapse(agreement, unit.context.now))


async def put_into_force(agreement_id: str, unit: Unit) -> Agreement:
    agreement = await agreements.load(unit, agreement_id)
    partner = await _rely_on(unit, agreement.partner_id)
    events = lifetime.enter_into_force(agreement, partner, unit.context.now)
    return _save(unit, agreement, events)


async def expire_agreement(agreement_id: str, unit: Unit) -> Agreement:
    agreement = await agreements.load(unit, agreement_id)
    return _save(unit, agreement, lifetime.expire(agreement, unit.context.now))


async def _rely_on(unit: Unit, partner_id: str) -> PartnerStanding:
    """The partner as known here; if that changes before this decision is written, it is decided anew."""
    document = await unit.get(STANDINGS, partner_id)
    if document is None:
        raise Invalid(
            "partner_unknown",
            "This partner is not known here",
            field="partner_id",
            partner_id=partner_id[:64],
        )
    partner = PartnerStanding.of(document)
    unit.change.require_version(STANDINGS, partner.id, partner.version)
    return partner


def _require_reach(unit: Unit, permission: str, partner: PartnerStanding) -> None:
    if not Reach.of(unit.context.actor.grants, permission).covers(partner.id, partner.country):
        raise Forbidden("outside_your_scope", "This partner is not among those you work for")


async def _keep_text(unit: Unit, text: AgreementText) -> None:
    """By its hash, once: texts are never changed and never removed."""
    if await unit.get(texts.name, text.sha256) is None:
        unit.put(texts.name, {"_id": text.sha256, "content": text.content})


def _evidence(command: SignAgreement, agreement: Agreement, unit: Unit) -> Evidence:
    number, previous = signing.next_link(agreement)
    now, rules = unit.context.now, agreement.profile
    return Evidence(
        id=new_id("evd"),
        agreement_id=agreement.id,
        number=number,
        party=command.party,
        signatory_id=unit.context.actor.id,
        on_behalf_of=unit.context.on_behalf_of,
        name=command.name,
        name_salt=secrets.token_hex(16),
        text_sha256=command.text_sha256,
        wording=rules.consent_wording,
        signed_at=now,
        signed_on=day_of(now, rules.zone),
        zone=rules.zone,
        previous_sha256=previous,
    )


def _save(unit: Unit, before: Agreement, events: list[Event]) -> Agreement:
    """The timers are a function of the state, so they are moved with it."""
    after = agreements.save(unit, before, events)
    was, is_due = lifetime.due(before), lifetime.due(after)
    for move, kind in TIMERS_BY_MOVE.items():
        if move in is_due and is_due[move] != was.get(move):
            unit.schedule(kind, after.id, is_due[move])
        elif move in was and move not in is_due:
            unit.cancel(kind, after.id)
    return after
