"""A person of the directory: who they are to the sign-in, and what they may do. Never a name or an address.

    admitted ----------------------------------------+
    invited --- joins within 30 days ----------------+--> joined --> erased
       |  ^                                                            ^
       v  | invited anew                                               |
    lapsed ------------------------------------------------------------+

Roles are granted and withdrawn; a delegation lends a role that somebody else holds, from one instant until
another. What a delegation lends counts by the clock: nothing has to happen at either instant. Nor does it
lend longer than its owner holds the role; that it is also ended then is for the record.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.partners.people.domain.delegation import NEVER_LENT, Delegation, check_dates, delegation_of
from services.partners.people.domain.invitation import Invitation, InvitationTerms, invitation_events
from services.partners.people.domain.scopes import covers, scope_for
from shared.contracts.envelope import Event
from shared.contracts.notifications.task import TaskAssigned, TaskDone
from shared.contracts.partners.person import (
    DelegationEnded,
    DelegationGiven,
    InvitationLapsed,
    PersonAdmitted,
    PersonErased,
    PersonInvited,
    PersonJoined,
    PersonSignedOut,
    RoleGranted,
    RoleWithdrawn,
    Scope,
)
from shared.contracts.vocabulary import Role, ScopeKind
from shared.errors import Forbidden, Invalid, NotFound, Refusal

ROLES_MAX = 100
DELEGATIONS_MAX = 20


class PersonStatus(StrEnum):
    INVITED = "invited"
    LAPSED = "lapsed"
    JOINED = "joined"
    ERASED = "erased"


@dataclass(frozen=True, kw_only=True)
class HeldRole:
    role: Role
    scope: tuple[Scope, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Person:
    id: str
    status: PersonStatus
    language: str
    zone: str
    subject: str | None = None
    invitation: Invitation | None = None
    roles: tuple[HeldRole, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    # They signed out everywhere: what began before has ended.
    sessions_from: datetime | None = None

    @staticmethod
    def admit(id: str, *, subject: str, language: str, zone: str) -> list[Event]:
        return [PersonAdmitted(person_id=id, subject=subject, language=language, zone=zone)]

    @staticmethod
    def invite(id: str, terms: InvitationTerms) -> list[Event]:
        return invitation_events(id, terms)

    def invite_anew(self, terms: InvitationTerms) -> list[Event]:
        """A new code; the one before it is dead from here on."""
        if self.status is PersonStatus.ERASED:
            raise Refusal("person_erased", "This person's details were erased; invite them as somebody new")
        if self.status is PersonStatus.JOINED:
            raise Refusal("already_joined", "This person is in the directory already")
        return [*self._end_task("invited_anew"), *invitation_events(self.id, terms)]

    def join(self, subject: str, now: datetime) -> list[Event]:
        """Take up the invitation. Who was invited speaks for the partner from here on."""
        if self.status is PersonStatus.JOINED and self.subject == subject:
            return []
        invitation = self.invitation
        if invitation is None or self.status in (PersonStatus.JOINED, PersonStatus.ERASED):
            raise Refusal("invitation_used", "This invitation has been taken up already")
        if self.status is PersonStatus.LAPSED or now >= invitation.expires_at:
            raise Refusal("invitation_expired", "This invitation has ended", ended_at=invitation.expires_at)
        scope = (Scope(kind=ScopeKind.PARTNER, value=invitation.partner_id),)
        return [
            PersonJoined(person_id=self.id, subject=subject),
            RoleGranted(person_id=self.id, role=Role.PARTNER_USER, scope=scope),
            *self._end_task("joined"),
        ]

    def lapse(self, now: datetime) -> list[Event]:
        """What an invitation comes to that nobody takes up."""
        if self.status is not PersonStatus.INVITED or self.invitation is None:
            return []
        if now < self.invitation.expires_at:  # It was given a new end meanwhile.
            return []
        lapsed = InvitationLapsed(person_id=self.id, partner_id=self.invitation.partner_id)
        return [lapsed, *self._end_task("expired")]

    def grant(self, role: Role, scope: Iterable[Scope], *, by: str) -> list[Event]:
        self._require_joined()
        if by == self.id:
            raise Forbidden("own_role", "Nobody gives a role to themselves")
        held = HeldRole(role=role, scope=scope_for(role, scope))
        if held in self.roles:
            return []
        if len(self.roles) >= ROLES_MAX:
            raise Refusal("too_many_roles", "Withdraw a role before granting another", roles_max=ROLES_MAX)
        return [RoleGranted(person_id=self.id, role=held.role, scope=held.scope)]

    def withdraw(self, role: Role, scope: Iterable[Scope]) -> list[Event]:
        held = HeldRole(role=role, scope=scope_for(role, scope))
        if held not in self.roles:
            return []
        return [RoleWithdrawn(person_id=self.id, role=held.role, scope=held.scope)]

    def borrow(self, lent: Delegation, *, owner: "Person", by: str, now: datetime) -> list[Event]:
        """Receive what `owner` lends. The owner must hold it, so that nothing is lent that is not there."""
        self._require_joined()
        if self.id in (by, owner.id):
            raise Forbidden("own_role", "Nobody gives a role to themselves")
        if lent.role in NEVER_LENT:
            raise Invalid("role_never_lent", "This role cannot be delegated", role=lent.role)
        scope = scope_for(lent.role, lent.scope)
        if not owner.holds(lent.role, scope):
            raise Refusal(
                "not_theirs_to_lend", "They do not hold this role within this scope", role=lent.role
            )
        check_dates(lent.starts_at, lent.ends_at, now)
        if len(self.delegations) >= DELEGATIONS_MAX:
            raise Refusal("too_many_delegations", "End a delegation first", delegations_max=DELEGATIONS_MAX)
        return [
            DelegationGiven(
                person_id=self.id,
                delegation_id=lent.id,
                on_behalf_of=owner.id,
                role=lent.role,
                scope=scope,
                starts_at=lent.starts_at,
                ends_at=lent.ends_at,
            )
        ]

    def end_delegation(self, delegation_id: str, reason: str) -> list[Event]:
        if not any(delegation.id == delegation_id for delegation in self.delegations):
            raise NotFound("delegation_not_found", "There is no such delegation", id=delegation_id)
        return [DelegationEnded(person_id=self.id, delegation_id=delegation_id, reason=reason)]

    def give_back(self, owner: "Person") -> list[Event]:
        """End what `owner` lent and does not hold any more."""
        return [
            DelegationEnded(person_id=self.id, delegation_id=delegation.id, reason="role_withdrawn")
            for delegation in self.delegations
            if delegation.on_behalf_of == owner.id and not owner.holds(delegation.role, delegation.scope)
        ]

    def sign_out_everywhere(self, at: datetime) -> list[Event]:
        """In whole milliseconds, the next one: what is stored must not be earlier than what it ends."""
        self._require_joined()
        whole = at.replace(microsecond=at.microsecond // 1_000 * 1_000) + timedelta(milliseconds=1)
        if self.sessions_from is not None and whole <= self.sessions_from:
            return []
        return [PersonSignedOut(person_id=self.id, sessions_from=whole)]

    def erase(self, reason: str) -> list[Event]:
        if self.status is PersonStatus.ERASED:
            return []
        return [*self._end_task("erased"), PersonErased(person_id=self.id, reason=reason)]

    def holds(self, role: Role, scope: tuple[Scope, ...]) -> bool:
        return any(held.role is role and covers(held.scope, scope) for held in self.roles)

    @property
    def is_administrator(self) -> bool:
        return self.holds(Role.ADMINISTRATOR, ())

    @property
    def partner_ids(self) -> list[str]:
        """The partners they speak for."""
        own = (held.scope[0].value for held in self.roles if held.role is Role.PARTNER_USER)
        return sorted(own)

    @property
    def concerned_partner_ids(self) -> list[str]:
        """The partners they speak for, and the one they were asked to speak for."""
        asked = [self.invitation.partner_id] if self.invitation is not None else []
        waits = self.status in (PersonStatus.INVITED, PersonStatus.LAPSED)
        return sorted({*self.partner_ids, *(asked if waits else ())})

    def _require_joined(self) -> None:
        if self.status is not PersonStatus.JOINED:
            raise Refusal(
                "not_joined", "This person has not joined, or is not here any more", status=self.status
            )

    def _end_task(self, outcome: str) -> list[Event]:
        if self.invitation is None or self.invitation.open_task_id is None:
            return []
        return [TaskDone(task_id=self.invitation.open_task_id, about=self.id, outcome=outcome)]

    @classmethod
    def begin(cls, event: Event) -> "Person":
        match event:
            case PersonAdmitted():
                return cls(
                    id=event.person_id,
                    status=PersonStatus.JOINED,
                    subject=event.subject,
                    language=event.language,
                    zone=event.zone,
                )
            case PersonInvited():
                fresh = cls(
                    id=event.person_id, status=PersonStatus.INVITED, language=event.language, zone=event.zone
                )
                return fresh.apply(event)
        raise AssertionError(f"A person does not begin with {event.type}")

    def apply(self, event: Event) -> "Person":
        match event:
            case PersonInvited() | PersonJoined() | InvitationLapsed() | TaskAssigned() | TaskDone():
                return self._apply_invitation(event)
            case RoleGranted():
                held = HeldRole(role=event.role, scope=event.scope)
                return replace(self, roles=(*self.roles, held))
            case RoleWithdrawn():
                gone = HeldRole(role=event.role, scope=event.scope)
                return replace(self, roles=tuple(held for held in self.roles if held != gone))
            case DelegationGiven():
                return replace(self, delegations=(*self.delegations, delegation_of(event)))
            case DelegationEnded():
                left = tuple(one for one in self.delegations if one.id != event.delegation_id)
                return replace(self, delegations=left)
            case PersonSignedOut():
                return replace(self, sessions_from=event.sessions_from)
            case PersonErased():
                return Person(id=self.id, status=PersonStatus.ERASED, language=self.language, zone=self.zone)
        raise AssertionError(f"A person cannot apply {event.type}")

    def _apply_invitation(self, event: Event) -> "Person":
        match event:
            case PersonInvited():
                invitation = Invitation(
                    partner_id=event.partner_id, code_sha256=event.code_sha256, expires_at=event.expires_at
                )
                return replace(
                    self,
                    status=PersonStatus.INVITED,
                    language=event.language,
                    zone=event.zone,
                    invitation=invitation,
                )
            case PersonJoined():
                return replace(self, status=PersonStatus.JOINED, subject=event.subject)
            case InvitationLapsed():
                return replace(self, status=PersonStatus.LAPSED)
            case TaskAssigned():
                return self._with_task(event.task_id)
        return self._with_task(None)

    def _with_task(self, task_id: str | None) -> "Person":
        assert self.invitation is not None, "only an invitation makes a task"
        return replace(self, invitation=replace(self.invitation, open_task_id=task_id))
