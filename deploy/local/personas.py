"""The people of the demonstration, one for each row of the table in the design that says whom Concord serves.

Defined once: the sign-in offers them, and the seeding of the directory gives them their roles. A token only
says `subject`; what a persona may do is read from the directory, so before the seeding they may do nothing.
One has no role and is not seeded: whoever registers a partner can invite somebody for it, and be them too.
"""

from dataclasses import dataclass

from shared.contracts.vocabulary import Grant, Role, ScopeKind

DEMO_PARTNER_ID = "ptn_01JDEM0PARTNER7000800000A0"
"""The partner that the demonstration's partner user belongs to. Should the seeding give that partner another
id, it must replace this scope too: a scope that names nobody shows nothing, none at all shows everything."""


@dataclass(frozen=True, kw_only=True)
class Persona:
    """`name` is written as its bearer writes it, `name_latin` as a colleague would type it."""

    key: str
    name: str
    name_latin: str
    name_language: str
    title: str
    comes_to: str
    grants: tuple[Grant, ...]
    language: str
    timezone: str

    @property
    def subject(self) -> str:
        return f"demo-{self.key}"

    @property
    def email(self) -> str:
        return f"{self.key}@example.org"


PERSONAS: tuple[Persona, ...] = (
    Persona(
        key="officer",
        name="Nia Adéọlá",
        name_latin="Nia Adeola",
        name_language="yo",
        title="Partnership officer",
        comes_to="register partners, keep their record, conclude agreements",
        grants=(Grant(Role.PARTNERSHIP_OFFICER),),
        language="en",
        timezone="Africa/Nairobi",
    ),
    Persona(
        key="reviewer",
        name="Amina Wanjiru",
        name_latin="Amina Wanjiru",
        name_language="sw",
        title="Accreditation reviewer",
        comes_to="take an application from completeness check to recommendation",
        grants=(Grant(Role.ACCREDITATION_REVIEWER),),
        language="en",
        timezone="Africa/Nairobi",
    ),
    Persona(
        key="chief",
        name="Étienne Lefèvre",
        name_latin="Etienne Lefevre",
        name_language="fr",
        title="Chief of accreditation, signs for the organisation",
        comes_to="circulate a list to Member States, see it through, sign agreements",
        grants=(Grant(Role.ACCREDITATION_CHIEF), Grant(Role.SIGNATORY)),
        language="fr",
        timezone="Europe/Paris",
    ),
    Persona(
        key="delegate-ken",
        name="Wangũi Kamau",
        name_latin="Wangui Kamau",
        name_language="ki",
        title="Delegate of Kenya",
        comes_to="see the list circulated to my State, object or stay silent",
        grants=(Grant(Role.MEMBER_STATE_DELEGATE, ((ScopeKind.STATE, "KEN"),)),),
        language="en",
        timezone="Africa/Nairobi",
    ),
    Persona(
        key="committee",
        name="Sofía Núñez",
        name_latin="Sofia Nunez",
        name_language="es",
        title="Committee member for Chile",
        comes_to="decide what an objection left open, by consensus or vote",
        grants=(Grant(Role.COMMITTEE_MEMBER, ((ScopeKind.STATE, "CHL"),)),),
        language="es",
        timezone="America/Santiago",
    ),
    Persona(
        key="partner-user",
        name="ليلى الخطيب",
        name_latin="Layla al-Khatib",
        name_language="ar",
        title="A partner's own user",
        comes_to="apply, answer, sign, report, see our status in plain words",
        grants=(Grant(Role.PARTNER_USER, ((ScopeKind.PARTNER, DEMO_PARTNER_ID),)),),
        language="ar",
        timezone="Asia/Amman",
    ),
    Persona(
        key="legal",
        name="Анна Ковалёва",
        name_latin="Anna Kovalyova",
        name_language="ru",
        title="Legal officer",
        comes_to="clear a text before it is signed",
        grants=(Grant(Role.LEGAL_OFFICER),),
        language="ru",
        timezone="Asia/Almaty",
    ),
    Persona(
        key="finance",
        name="陈美玲",
        name_latin="Chen Meiling",
        name_language="zh",
        title="Finance officer",
        comes_to="clear the money in a text before it is signed",
        grants=(Grant(Role.FINANCE_OFFICER),),
        language="zh",
        timezone="Asia/Shanghai",
    ),
    Persona(
        key="programme-review",
        name="ወርቅነህ ተስፋዬ",
        name_latin="Werkneh Tesfaye",
        name_language="am",
        title="Member of the programme review committee",
        comes_to="clear a project before its text is signed",
        grants=(Grant(Role.PROGRAMME_REVIEWER),),
        language="en",
        timezone="Africa/Addis_Ababa",
    ),
    Persona(
        key="donor-relations",
        name="अनीता शर्मा",
        name_latin="Anita Sharma",
        name_language="hi",
        title="Donor relations",
        comes_to="see which reports are due to donors, and the rate sent on time",
        grants=(Grant(Role.DONOR_RELATIONS),),
        language="en",
        timezone="Asia/Kolkata",
    ),
    Persona(
        key="external-system",
        name="Open Cities Register",
        name_latin="Open Cities Register",
        name_language="en",
        title="External system",
        comes_to="subscribe to events by webhook, feed or topic, and never miss one",
        grants=(Grant(Role.EXTERNAL_SYSTEM),),
        language="en",
        timezone="UTC",
    ),
    Persona(
        key="operator",
        name="Jürgen Weiß",
        name_latin="Juergen Weiss",
        name_language="de",
        title="Operator",
        comes_to="watch it, find and replay what failed",
        grants=(Grant(Role.OPERATOR),),
        language="en",
        timezone="Europe/Berlin",
    ),
    Persona(
        key="auditor",
        name="ნინო ბერიძე",
        name_latin="Nino Beridze",
        name_language="ka",
        title="Auditor",
        comes_to="read who decided what under which rule, and prove the record is whole",
        grants=(Grant(Role.AUDITOR),),
        language="en",
        timezone="Asia/Tbilisi",
    ),
    Persona(
        key="administrator",
        name="김하늘",
        name_latin="Kim Haneul",
        name_language="ko",
        title="Administrator",
        comes_to="admit people, give and withdraw roles, issue keys",
        grants=(Grant(Role.ADMINISTRATOR),),
        language="en",
        timezone="Asia/Seoul",
    ),
    Persona(
        key="invited",
        name="Tendai Moyo",
        name_latin="Tendai Moyo",
        name_language="sn",
        title="Somebody whom nobody has admitted yet",
        comes_to="take up an invitation with its code, then speak for that partner",
        grants=(),
        language="en",
        timezone="Africa/Harare",
    ),
)

_BY_KEY = {persona.key: persona for persona in PERSONAS}
_BY_SUBJECT = {persona.subject: persona for persona in PERSONAS}


def persona_by_key(key: str) -> Persona | None:
    return _BY_KEY.get(key)


def persona_by_subject(subject: str) -> Persona | None:
    return _BY_SUBJECT.get(subject)
