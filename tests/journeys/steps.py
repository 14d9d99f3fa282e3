"""What people do in these journeys, over HTTP, a line each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from shared.ids import new_id
from tests.support.house import House, posted

OFFICER, SIGNATORY, ADMINISTRATOR, OPERATOR = "officer", "chief", "administrator", "operator"
TEXT = "Both parties will upgrade three neighbourhoods together.\nThe residents decide the order."


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A partner with its contact person, and its own user once somebody has joined for it."""

    id: str
    legal_name: str
    contact_id: str
    contact_name: str
    contact_email: str


@dataclass(frozen=True, kw_only=True)
class Person:
    """`subject` is who they are to the sign-in, so it is how they act."""

    id: str
    subject: str
    name: str
    email: str


@dataclass(frozen=True, kw_only=True)
class System:
    id: str
    key: str


def any_mark() -> str:
    """By which something of one journey is told from everything else that is stored."""
    return new_id("x")[-8:].lower()


def unlike_any_other(word: str) -> str:
    return f"{word} {any_mark()}"


async def register_partner(house: House, *, known_to_agreements: bool = True) -> Partner:
    name, mark = unlike_any_other("Shelter Association"), any_mark()
    contact = {"name": f"Wanjiku {mark}", "email": f"wanjiku.{mark}@example.org", "language": "en"}
    body = {"legal_name": name, "kind": "civil_society", "country": "KEN", "contact": contact}
    made = await house.post(OFFICER, "/partners/v1/partners", body)
    if known_to_agreements:
        await house.see(OFFICER, f"/agreements/v1/standings/{made['id']}")
    return Partner(
        id=made["id"],
        legal_name=name,
        contact_id=made["contact_id"],
        contact_name=contact["name"],
        contact_email=contact["email"],
    )


async def join_for(house: House, partner: Partner, language: str = "en") -> Person:
    """Invited by the officer, signed in for the first time, the code shown."""
    mark = any_mark()
    details = {"name": f"Otieno {mark}", "email": f"otieno.{mark}@example.org", "language": language}
    path = f"/partners/v1/partners/{partner.id}/invitations"
    invitation = await house.post(OFFICER, path, {**details, "zone": "Africa/Nairobi"})
    return await accept(house, invitation, name=details["name"], email=details["email"])


async def contact_joins(house: House, partner: Partner) -> Person:
    """The partner's contact person becomes a user of it too."""
    path = f"/partners/v1/partners/{partner.id}/people/{partner.contact_id}/invitations"
    invitation = await house.post(OFFICER, path, {"zone": "Africa/Nairobi"})
    return await accept(house, invitation, name=partner.contact_name, email=partner.contact_email)


async def accept(house: House, invitation: dict[str, Any], *, name: str, email: str) -> Person:
    subject = f"sign-in|{any_mark()}"
    joined = await house.post(subject, f"/partners/v1/invitations/{invitation['code']}/acceptances")
    assert joined == {"id": invitation["person_id"], "partner_ids": [invitation["partner_id"]]}
    await known_everywhere(house, subject)
    return Person(id=joined["id"], subject=subject, name=name, email=email)


async def admit(house: House, *roles: str) -> Person:
    """Somebody of the organisation itself."""
    mark = any_mark()
    subject, name, email = f"staff|{mark}", f"Halima {mark}", f"halima.{mark}@example.org"
    body = {"subject": subject, "name": name, "email": email, "language": "en", "zone": "UTC"}
    admitted = await house.post(ADMINISTRATOR, "/partners/v1/people", body)
    for role in roles:
        await grant(house, admitted["id"], role)
        await known_everywhere(house, subject)
    return Person(id=admitted["id"], subject=subject, name=name, email=email)


async def grant(house: House, person_id: str, role: str, *scope: tuple[str, str]) -> None:
    path, parts = f"/partners/v1/people/{person_id}/roles", [_scope(part) for part in scope]
    await house.post(ADMINISTRATOR, path, {"role": role, "scope": parts})


def _scope(part: tuple[str, str]) -> dict[str, str]:
    kind, value = part
    return {"kind": kind, "value": value}


async def known_everywhere(house: House, subject: str) -> None:
    """Every service knows what they may do: each answers what everybody with a role may ask."""
    for service in house.served:
        await house.see(subject, f"/{service}/v1/clock")


async def register_system(house: House, *scope: tuple[str, str]) -> System:
    owner = (await house.get(ADMINISTRATOR, "/partners/v1/people", limit="1"))["items"][0]["id"]
    parts = [_scope(part) for part in scope]
    body = {"label": unlike_any_other("City data"), "owner_id": owner, "scope": parts}
    system = await house.post(ADMINISTRATOR, "/partners/v1/systems", body)
    issued = await house.post(ADMINISTRATOR, f"/partners/v1/systems/{system['id']}/keys")
    made = System(id=system["id"], key=issued["key"])

    async def is_known() -> bool:
        answer = await house.with_key(made.key).get("/notifications/v1/endpoints")
        return answer.status_code == 200

    await house.eventually(is_known)
    return made


@asynccontextmanager
async def subscribed(house: House, system: System, url: str, *types: str) -> AsyncIterator[str]:
    """An endpoint of the system's own, by its secret; at the end it asks for nothing more."""
    client, path = house.with_key(system.key), "/notifications/v1/endpoints"
    answer = await posted(client, path, {"url": url, "types": list(types)})
    assert answer.status_code == 201, answer.text
    yield answer.json()["secret"]
    ended = await posted(
        client, f"{path}/{answer.json()['endpoint_id']}/disablings", {"reason": "The journey is over"}
    )
    assert ended.status_code == 201, ended.text


class FeedReader:
    """A system that follows the feed from now on, as its cursor says."""

    def __init__(self, house: House, system: System, *types: str) -> None:
        self._client, self._types = house.with_key(system.key), list(types)
        self._place: dict[str, str] = {"start": "latest"}
        self.items: list[dict[str, Any]] = []
        self.content = b""

    async def read(self) -> list[dict[str, Any]]:
        """All that has come since, and what came before."""
        more = True
        while more:
            query = {**self._place, "types": self._types, "limit": "500"}
            answer = await self._client.get("/notifications/v1/events", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            self.items += page["items"]
            self.content += answer.content
            self._place, more = {"cursor": page["next"]}, page["has_more"]
        return self.items


async def today(house: House) -> date:
    clock = await house.get(OPERATOR, "/agreements/v1/clock")
    return datetime.fromisoformat(clock["now"]).date()


async def draft(house: House, partner: Partner, *, days: int = 365, who: str = OFFICER) -> dict[str, Any]:
    body = {
        "partner_id": partner.id,
        "kind": "mou",
        "title": unlike_any_other("Upgrading three neighbourhoods"),
        "text": TEXT,
        "ends_on": (await today(house) + timedelta(days=days)).isoformat(),
    }
    drafted: dict[str, Any] = await house.post(who, "/agreements/v1/agreements", body)
    return drafted


async def send(house: House, agreement: dict[str, Any]) -> dict[str, Any]:
    path = f"/agreements/v1/agreements/{agreement['id']}/signing-rounds"
    sent: dict[str, Any] = await house.post(OFFICER, path)
    return sent


def signature(agreement: dict[str, Any], party: str, name: str) -> dict[str, Any]:
    return {"party": party, "text_sha256": agreement["text_sha256"], "name": name}


async def sign(house: House, who: str, agreement: dict[str, Any], party: str, name: str) -> dict[str, Any]:
    path = f"/agreements/v1/agreements/{agreement['id']}/signatures"
    signed: dict[str, Any] = await house.post(who, path, signature(agreement, party, name))
    return signed


async def advance_clock(house: House, days: int) -> None:
    """In every service, as the command line does it."""
    for service in house.served:
        await house.post(OPERATOR, f"/{service}/v1/clock/advances", {"by_s": days * 86_400})
