"""A signing round: the number it was given, when it closes, who has signed and who is still asked to."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from shared.contracts.agreements.agreement import AgreementSentForSignature, AgreementSignedByParty, Party
from shared.contracts.envelope import Event
from shared.contracts.notifications.task import TaskAssigned, TaskDone, TaskKind
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind


@dataclass(frozen=True, kw_only=True)
class Signature:
    party: Party
    signatory_id: str
    on_behalf_of: str | None
    evidence_id: str
    evidence_sha256: str
    signed_at: datetime

    @property
    def people(self) -> frozenset[str]:
        """Whose name is behind it: a borrowed role binds its lender too."""
        return frozenset({self.signatory_id} | ({self.on_behalf_of} if self.on_behalf_of else set()))


@dataclass(frozen=True, kw_only=True)
class SigningTask:
    """A task somebody still has: the organisation's has the role alone, the partner's names the partner."""

    id: str
    party: Party


@dataclass(frozen=True, kw_only=True)
class SigningRound:
    ref: str
    closes_at: datetime
    tasks: tuple[SigningTask, ...] = ()
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def opened(cls, event: AgreementSentForSignature) -> Self:
        return cls(ref=event.ref, closes_at=event.closes_at)

    def with_task(self, event: TaskAssigned) -> Self:
        party = Party.PARTNER if event.scope else Party.ORGANISATION
        return replace(self, tasks=(*self.tasks, SigningTask(id=event.task_id, party=party)))

    def without_task(self, event: TaskDone) -> Self:
        return replace(self, tasks=tuple(task for task in self.tasks if task.id != event.task_id))

    def with_signature(self, event: AgreementSignedByParty) -> Self:
        signature = Signature(
            party=event.party,
            signatory_id=event.signatory_id,
            on_behalf_of=event.on_behalf_of,
            evidence_id=event.evidence_id,
            evidence_sha256=event.evidence_sha256,
            signed_at=event.signed_at,
        )
        return replace(self, signatures=(*self.signatures, signature))

    def signature_of(self, party: Party) -> Signature | None:
        return next((signature for signature in self.signatures if signature.party is party), None)

    @property
    def pending(self) -> frozenset[Party]:
        return frozenset(Party) - {signature.party for signature in self.signatures}


def assign(task: SigningTask, event: AgreementSentForSignature) -> Event:
    """Ask whoever may sign for that party: our signatories, or the users of that partner."""
    ours = task.party is Party.ORGANISATION
    return TaskAssigned(
        task_id=task.id,
        kind=TaskKind.SIGN_AGREEMENT,
        about=event.agreement_id,
        label=event.ref,
        person_id=None,
        role=Role.SIGNATORY if ours else Role.PARTNER_USER,
        scope=() if ours else (Scope(kind=ScopeKind.PARTNER, value=event.partner_id),),
        due_at=event.closes_at,
        reason="text_frozen",
    )


def done(agreement_id: str, task: SigningTask, outcome: str) -> Event:
    return TaskDone(task_id=task.id, about=agreement_id, outcome=outcome)
