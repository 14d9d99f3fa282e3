"""What the demonstration starts with: its people, and a few partners for them to work with. All of it is
invented.
"""

from dataclasses import dataclass

from deploy.local.personas import DEMO_PARTNER_ID, PERSONAS
from shared.contracts.vocabulary import PartnerKind


@dataclass(frozen=True, kw_only=True)
class DemoPartner:
    id: str
    legal_name: str
    kind: PartnerKind
    country: str
    contact_name: str
    contact_email: str
    contact_language: str = "en"


PEOPLE = tuple(persona for persona in PERSONAS if persona.grants)
PARTNERS = (
    DemoPartner(
        id=DEMO_PARTNER_ID,
        legal_name="Lakeside Residents' Federation",
        kind=PartnerKind.CIVIL_SOCIETY,
        country="KEN",
        contact_name="Achieng' Otieno",
        contact_email="contact.lakeside@example.org",
    ),
    DemoPartner(
        id="ptn_01JDEM0PARTNER7000800000B0",
        legal_name="بلدية الواحة الجديدة",
        kind=PartnerKind.LOCAL_GOVERNMENT,
        country="EGY",
        contact_name="ليلى حسن",
        contact_email="contact.oasis@example.org",
        contact_language="ar",
    ),
    DemoPartner(
        id="ptn_01JDEM0PARTNER7000800000C0",
        legal_name="Ministerio de Vivienda de Nueva Ribera",
        kind=PartnerKind.GOVERNMENT,
        country="URY",
        contact_name="Inés Beltrán",
        contact_email="contact.ribera@example.org",
        contact_language="es",
    ),
    DemoPartner(
        id="ptn_01JDEM0PARTNER7000800000D0",
        legal_name="United Nations Office for Shared Water",
        kind=PartnerKind.UN_ENTITY,
        country="CHE",
        contact_name="Jonas Keller",
        contact_email="contact.water@example.org",
        contact_language="fr",
    ),
)
