"""Giving somebody a role, taking it away, lending it while its holder is away, and erasing somebody."""

from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field
from starlette.responses import Response

from services.partners.people import handlers
from services.partners.people.commands import (
    REASON_LENGTH_MAX,
    EndDelegation,
    ErasePerson,
    GiveDelegation,
    GrantRole,
    WithdrawRole,
)
from services.partners.people.documents import persons
from services.partners.people.domain.person import HeldRole, Person
from services.partners.people.pages import new_pages, telling
from services.partners.people.pages.choosing import (
    VALUE_LENGTH_MAX,
    WhereForm,
    people_to_choose,
    places_for,
    role_choices,
    scope_of,
)
from services.partners.people.pages.me import PartnerNames
from services.partners.people.pages.naming import held_by
from services.partners.people.queries import names_of
from shared.contracts.vocabulary import Role
from shared.errors import NotFound
from shared.http.bodies import Lines
from shared.web.act import Act, act_page
from shared.web.ask import Ask
from shared.web.countries import country_options
from shared.web.forms import FormDate, FormModel
from shared.web.language import _
from shared.web.words import word


class RoleForm(FormModel):
    role: Role | None = None


class GrantForm(WhereForm):
    role: Role


class LoanForm(FormModel):
    person: Annotated[str, Field(max_length=VALUE_LENGTH_MAX)]
    starts_on: FormDate
    ends_on: FormDate


class ReasonForm(FormModel):
    reason: Annotated[Lines, Field(min_length=1, max_length=REASON_LENGTH_MAX)]


class RolePages:
    """`partner_names`: the register knows what partners are called; this room comes before it."""

    def __init__(self, partner_names: PartnerNames) -> None:
        self.pages = pages = new_pages()
        self._partner_names = partner_names
        person = "/partners/people/{id}"
        held, lent = f"{person}/roles/{{held}}", f"{person}/delegations/{{delegation}}/end"
        pages.get(f"{person}/grant", may="role:grant")(self.grant_page)
        pages.post(f"{person}/grant", may="role:grant", again=self.grant_page)(self.grant)
        pages.get(f"{held}/withdraw", may="role:withdraw")(self.withdraw_page)
        pages.post(f"{held}/withdraw", may="role:withdraw", again=self.withdraw_page)(self.withdraw)
        pages.get(f"{held}/lend", may="role:grant")(self.lend_page)
        pages.post(f"{held}/lend", may="role:grant", again=self.lend_page)(self.lend)
        pages.get(lent, may="role:withdraw")(self.end_page)
        pages.post(lent, may="role:withdraw", again=self.end_page)(self.end)
        pages.get(f"{person}/erase", may="person:erase")(self.erase_page)
        pages.post(f"{person}/erase", may="person:erase", again=self.erase_page)(self.erase)

    async def grant_page(self, ask: Ask) -> Response:
        """First which role, then where it holds: what can be answered there depends on the role."""
        person, name = await _person(ask)
        role = _role_of(ask)
        if role is None:
            return ask.page("people/grant_role.html", person=person, name=name, roles=role_choices())
        return ask.page(
            "people/grant_scope.html",
            person=person,
            name=name,
            role=role,
            places=places_for(role),
            countries=country_options(ask.formats),
            version=ask.work.version_of(person.id),
        )

    async def grant(self, ask: Ask) -> Response:
        form = ask.form(GrantForm)
        scope = await scope_of(form, ask.work.mongo, self._partner_names)
        command = GrantRole(person_id=ask.path("id"), role=form.role, scope=scope)
        person = await handlers.grant_role(command, ask.work)
        return ask.see_other(f"/partners/people/{person.id}", done="granted")

    async def withdraw_page(self, ask: Ask) -> Response:
        person, name = await _person(ask)
        held = held_by(person, ask.path("held"))
        act = Act(
            title=_("Withdraw a role from %(name)s") % {"name": name},
            lead=await self._in_words(ask, held),
            points=(
                _("They lose what this role lets them do at once, everywhere, within a second."),
                _("Whoever they lent it to loses it too."),
                _("What they did with it stays as it is."),
            ),
            button=_("Withdraw the role"),
            back=f"/partners/people/{person.id}",
            back_name=name,
            version=ask.work.version_of(person.id),
            is_grave=True,
        )
        return act_page(ask, act)

    async def withdraw(self, ask: Ask) -> Response:
        person = await persons.load(ask.work, ask.path("id"))
        held = held_by(person, ask.path("held"))
        command = WithdrawRole(person_id=person.id, role=held.role, scope=held.scope)
        await handlers.withdraw_role(command, ask.work)
        return ask.see_other(f"/partners/people/{person.id}", done="withdrawn")

    async def lend_page(self, ask: Ask) -> Response:
        person, name = await _person(ask)
        held = held_by(person, ask.path("held"))
        return ask.page(
            "people/lend.html",
            person=person,
            name=name,
            said=await self._in_words(ask, held),
            people=await people_to_choose(ask.work.mongo, but=(person.id, ask.actor.id)),
            today=ask.work.context.now.astimezone(ZoneInfo(ask.actor.zone)).date(),
        )

    async def lend(self, ask: Ask) -> Response:
        """From the beginning of the first day until the end of the last, in the zone of who gives it."""
        owner = await persons.load(ask.work, ask.path("id"))
        held, form, zone = held_by(owner, ask.path("held")), ask.form(LoanForm), ZoneInfo(ask.actor.zone)
        command = GiveDelegation(
            person_id=form.person,
            on_behalf_of=owner.id,
            role=held.role,
            scope=held.scope,
            starts_at=datetime.combine(form.starts_on, time(), zone),
            ends_at=datetime.combine(form.ends_on + timedelta(days=1), time(), zone),
        )
        await handlers.give_delegation(command, ask.work)
        return ask.see_other(f"/partners/people/{owner.id}", done="lent")

    async def end_page(self, ask: Ask) -> Response:
        person, name = await _person(ask)
        lent = next((one for one in person.delegations if one.id == ask.path("delegation")), None)
        if lent is None:
            raise NotFound("delegation_not_found", "There is no such delegation")
        act = Act(
            title=_("End what was lent to %(name)s") % {"name": name},
            lead=await self._in_words(ask, HeldRole(role=lent.role, scope=lent.scope)),
            points=(
                _("They cannot act in this role any more, within a second."),
                _("What they did in it stays, with on whose behalf."),
            ),
            reason=_("Why does it end?"),
            reason_hint=_("1 to 500 characters. It is kept for good, so name no person."),
            button=_("End the delegation"),
            back=f"/partners/people/{person.id}",
            back_name=name,
            version=ask.work.version_of(person.id),
            is_grave=True,
        )
        return act_page(ask, act)

    async def end(self, ask: Ask) -> Response:
        command = EndDelegation(
            person_id=ask.path("id"),
            delegation_id=ask.path("delegation"),
            reason=ask.form(ReasonForm).reason,
        )
        person = await handlers.end_delegation(command, ask.work)
        return ask.see_other(f"/partners/people/{person.id}", done="ended")

    async def erase_page(self, ask: Ask) -> Response:
        person, name = await _person(ask)
        act = Act(
            title=_("Erase %(name)s") % {"name": name},
            points=(
                _("Their name and address are deleted here at once, in other services within seconds."),
                _("Every role of theirs ends, and they cannot sign in any more."),
                _("What they did stays on record under a number that names nobody."),
                _("This cannot be taken back."),
            ),
            reason=_("Why are they erased?"),
            reason_hint=_("1 to 500 characters. It is kept for good, so do not name the person in it."),
            button=_("Erase this person"),
            back=f"/partners/people/{person.id}",
            back_name=name,
            version=ask.work.version_of(person.id),
            is_grave=True,
        )
        return act_page(ask, act)

    async def erase(self, ask: Ask) -> Response:
        command = ErasePerson(person_id=ask.path("id"), reason=ask.form(ReasonForm).reason)
        person = await handlers.erase_person(command, ask.work)
        return ask.see_other(f"/partners/people/{person.id}", done="erased")

    async def _in_words(self, ask: Ask, held: HeldRole) -> str:
        names = await self._partner_names(ask.work.mongo, [part.value for part in held.scope])
        return f"{word(held.role)}, {telling.where(held.scope, ask.formats, names)}"


async def _person(ask: Ask) -> tuple[Person, str]:
    person = await persons.load(ask.work, ask.path("id"))
    names = await names_of(ask.work.mongo, [person.id])
    return person, names.get(person.id, person.id)


def _role_of(ask: Ask) -> Role | None:
    """As it was sent, else as the address says; a role that is none is asked for again."""
    name = ask.sent.get("role") or ask.request.query_params.get("role", "")
    return Role(name) if name in set(Role) else None
