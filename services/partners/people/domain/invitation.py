"""An invitation to join for a partner. Whoever signs in and shows its code in time is who was invited."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.envelope import Event
from shared.contracts.notifications.task import TaskAssigned, TaskKind
from shared.contracts.partners.person import PersonInvited

INVITATION_LIFE = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """Kept after it was taken up, so that taking it up twice is known for what it is."""

    partner_id: str
    code_sha256: str
    expires_at: datetime
    open_task_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class InvitationTerms:
    """`partner_name` is as much of the partner as an invitation speaks of; who invites knows it is there."""

    partner_id: str
    partner_name: str
    code_sha256: str
    task_id: str
    language: str
    zone: str
    now: datetime

    @property
    def expires_at(self) -> datetime:
        """In whole seconds: a timer keeps milliseconds, and must not be due before the end it was set for."""
        return (self.now + INVITATION_LIFE).replace(microsecond=0)


def invitation_events(person_id: str, terms: InvitationTerms) -> list[Event]:
    invited = PersonInvited(
        person_id=person_id,
        partner_id=terms.partner_id,
        code_sha256=terms.code_sha256,
        language=terms.language,
        zone=terms.zone,
        expires_at=terms.expires_at,
    )
    task = TaskAssigned(
        task_id=terms.task_id,
        kind=TaskKind.JOIN_FOR_PARTNER,
        about=person_id,
        label=terms.partner_name,
        person_id=person_id,
        role=None,
        due_at=terms.expires_at,
        reason="invited",
    )
    return [invited, task]
