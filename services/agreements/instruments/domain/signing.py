"""Signing: each party once, on one text, in either order. The last signature completes the agreement."""

from services.agreements.instruments.domain.agreement import Agreement
from services.agreements.instruments.domain.entry import with_entry
from services.agreements.instruments.domain.evidence import GENESIS, Evidence
from services.agreements.instruments.domain.holds import refuse_while_held
from services.agreements.instruments.domain.round import SigningRound, done
from services.agreements.instruments.domain.states import Move, Status, require
from services.agreements.standing.domain.standing import PartnerStanding
from shared.contracts.agreements.agreement import AgreementFullySigned, AgreementSignedByParty
from shared.contracts.envelope import Event
from shared.errors import Forbidden, Refusal


def sign(agreement: Agreement, evidence: Evidence, partner: PartnerStanding) -> list[Event]:
    """Signing again changes nothing and is answered with the evidence that is there."""
    earlier = agreement.signature_of(evidence.party)
    if earlier and earlier.signatory_id == evidence.signatory_id:
        return []
    _refuse_signature(agreement, evidence, partner)
    round = agreement.sent_round
    events: list[Event] = [
        AgreementSignedByParty(
            agreement_id=agreement.id,
            partner_id=agreement.partner_id,
            ref=round.ref,
            party=evidence.party,
            signatory_id=evidence.signatory_id,
            on_behalf_of=evidence.on_behalf_of,
            evidence_id=evidence.id,
            evidence_sha256=evidence.sha256,
            text_sha256=evidence.text_sha256,
            signed_at=evidence.signed_at,
        ),
        *(done(agreement.id, task, "signed") for task in round.tasks if task.party is evidence.party),
    ]
    if round.pending == {evidence.party}:
        events.append(_completed(agreement, round, evidence))
    return with_entry(agreement, events, evidence.signed_at)


def next_link(agreement: Agreement) -> tuple[int, str]:
    """The place of the next signature in the chain of evidence, and the link before it."""
    signatures = agreement.round.signatures if agreement.round else ()
    return len(signatures) + 1, signatures[-1].evidence_sha256 if signatures else GENESIS


def _refuse_signature(agreement: Agreement, evidence: Evidence, partner: PartnerStanding) -> None:
    """The first that holds is the answer (spec, 2.4), so their order is part of what we promise."""
    if agreement.round is None:
        require(agreement.status, Move.SIGN)
    if evidence.text_sha256 != agreement.text_sha256:
        raise Refusal(
            "text_changed",
            "This is not the text that was sent for signature",
            text_sha256=agreement.text_sha256,
        )
    round = agreement.sent_round
    if agreement.status is not Status.IN_SIGNATURE or evidence.signed_at >= round.closes_at:
        raise Refusal("round_closed", "The signing round is closed", closed_at=round.closes_at)
    refuse_while_held(agreement, partner)
    _refuse_two_duties(agreement, round, evidence)
    if round.signature_of(evidence.party):
        raise Refusal("slot_closed", "Somebody else has signed for this party", party=evidence.party)


def _refuse_two_duties(agreement: Agreement, round: SigningRound, evidence: Evidence) -> None:
    """Who drafted it does not sign it, and nobody signs it for both sides, not by a borrowed role either."""
    others = (signature.people for signature in round.signatures if signature.party is not evidence.party)
    if evidence.people & frozenset({agreement.officer_id}).union(*others):
        raise Forbidden(
            "separation_of_duties", "Who drafted or signed for the other side cannot sign for this one"
        )


def _completed(agreement: Agreement, round: SigningRound, evidence: Evidence) -> Event:
    return AgreementFullySigned(
        agreement_id=agreement.id,
        partner_id=agreement.partner_id,
        ref=round.ref,
        signed_at=evidence.signed_at,
    )
