"""Choices that several forms of the directory offer: somebody of it, a role, and where a role holds."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from services.partners.people.documents import persons
from services.partners.people.domain.person import PersonStatus
from services.partners.people.domain.scopes import NEVER_SCOPED, SPEAKS_FOR_ONE
from services.partners.people.pages.me import PartnerNames
from services.partners.people.queries import names_of
from shared.contracts.partners.person import Scope
from shared.contracts.vocabulary import Role, ScopeKind
from shared.errors import Invalid
from shared.storage.mongo import Mongo
from shared.web.forms import FormModel
from shared.web.language import N_, _
from shared.web.words import word

OFFERED_MAX = 500
VALUE_LENGTH_MAX = 64
EVERYWHERE = "everywhere"

_MAY = {
    Role.PARTNERSHIP_OFFICER: N_(
        "Registers partners, suspends them, invites their people, drafts agreements"
    ),
    Role.ACCREDITATION_REVIEWER: N_("Reads partners and agreements to assess applications"),
    Role.ACCREDITATION_CHIEF: N_("Suspends and reinstates partners; reads everything about them"),
    Role.MEMBER_STATE_DELEGATE: N_("Speaks for one State"),
    Role.COMMITTEE_MEMBER: N_("Decides what an objection left open"),
    Role.PARTNER_USER: N_("Speaks for one partner: reads what concerns it and signs for it"),
    Role.LEGAL_OFFICER: N_("Reads agreements and the evidence of their signatures"),
    Role.FINANCE_OFFICER: N_("Reads partners and agreements for the money in them"),
    Role.PROGRAMME_REVIEWER: N_("Reads partners and agreements to review programmes"),
    Role.DONOR_RELATIONS: N_("Reads partners and agreements for reports to donors"),
    Role.SIGNATORY: N_("Signs agreements for the organisation"),
    Role.EXTERNAL_SYSTEM: N_("Reads the feed and keeps webhooks, as systems do"),
    Role.OPERATOR: N_("Watches webhooks, mail and the feed, and replays what failed"),
    Role.AUDITOR: N_("Reads everything, and changes nothing"),
    Role.ADMINISTRATOR: N_("Admits people, gives and withdraws roles, issues keys; never within a scope"),
}


class WhereForm(FormModel):
    """Where something holds: everywhere, or within one scope, whose field is named like its kind."""

    where: Literal["everywhere", "partner", "state", "country", "unit"]
    partner: Annotated[str | None, Field(max_length=VALUE_LENGTH_MAX)] = None
    state: Annotated[str | None, Field(max_length=VALUE_LENGTH_MAX)] = None
    country: Annotated[str | None, Field(max_length=VALUE_LENGTH_MAX)] = None
    unit: Annotated[str | None, Field(max_length=VALUE_LENGTH_MAX)] = None


async def scope_of(form: WhereForm, mongo: Mongo, partner_names: PartnerNames) -> tuple[Scope, ...]:
    """A partner must be there: a scope that names nobody shows nothing, and nobody would know why."""
    if form.where == EVERYWHERE:
        return ()
    value = getattr(form, form.where)
    if not value:
        raise Invalid("scope_needed", "Say which one", field=form.where)
    if form.where == "partner" and not await partner_names(mongo, [value]):
        raise Invalid("partner_unknown", "No partner has this number", field=form.where)
    return (Scope(kind=ScopeKind(form.where), value=value),)


def places_for(role: Role | None) -> list[tuple[str, str, str]]:
    """Where a role can hold, as choices; None: what a system sees."""
    said = {
        EVERYWHERE: (_("Everywhere"), ""),
        ScopeKind.COUNTRY: (_("Where one country is concerned"), _("For several, grant it once for each.")),
        ScopeKind.PARTNER: (_("Where one partner is concerned"), ""),
        ScopeKind.STATE: (_("For one State"), ""),
        ScopeKind.UNIT: (_("For one unit of the organisation"), ""),
    }
    if role in NEVER_SCOPED:
        kinds: Iterable[str] = (EVERYWHERE,)
    elif role in SPEAKS_FOR_ONE:
        kinds = (SPEAKS_FOR_ONE[role],)
    elif role is None:
        kinds = (EVERYWHERE, ScopeKind.COUNTRY, ScopeKind.PARTNER)
    else:
        kinds = (EVERYWHERE, ScopeKind.COUNTRY, ScopeKind.PARTNER, ScopeKind.UNIT)
    return [(str(kind), *said[kind]) for kind in kinds]


def role_choices() -> list[tuple[Role, str, str]]:
    return [(role, word(role), _(_MAY[role])) for role in Role]


async def people_to_choose(mongo: Mongo, *, but: Iterable[str] = ()) -> list[tuple[str, str]]:
    """Who has joined, by name; the first so many of a directory that is larger."""
    joined = mongo[persons.collection].find({"status": PersonStatus.JOINED}, {"_id": 1}).limit(OFFERED_MAX)
    left_out = set(but)
    ids = [document["_id"] async for document in joined if document["_id"] not in left_out]
    names = await names_of(mongo, ids)
    return sorted(names.items(), key=lambda one: one[1].casefold())
