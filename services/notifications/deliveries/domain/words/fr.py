"""French."""

WORDS = {
    "partner_registered": (
        "{label} est enregistré comme partenaire",
        "{label} a été inscrit au registre des partenaires.",
    ),
    "partner_suspended": (
        "{label} est suspendu comme partenaire",
        "Le partenariat avec {label} est suspendu. Motif : {reason}\n"
        "Jusqu’à son rétablissement, rien ne peut être convenu ni signé avec ce partenaire.",
    ),
    "partner_reinstated": (
        "{label} est rétabli comme partenaire",
        "La suspension de {label} a été levée. Motif : {reason}",
    ),
    "person_invited": (
        "Vous êtes invité(e) à représenter {label}",
        "Vous avez été invité(e) à agir au nom de {label} dans Concord.\n"
        "La personne qui vous invite vous remet le code pour l’accepter, jusqu’au {expires_at}.",
    ),
    "agreement_sent": (
        "{label} est prêt à être signé",
        "Le texte de {label}, « {title} », est définitif et a été envoyé pour signature.\n"
        "Il peut être signé jusqu’au {closes_at}.",
    ),
    "agreement_signed": (
        "{label} a reçu une nouvelle signature",
        "La signature de l’une des parties à {label} a été enregistrée.",
    ),
    "agreement_in_force": (
        "{label} est en vigueur",
        "{label}, « {title} », est en vigueur du {effective_on} au {ends_on}.",
    ),
    "agreement_expired": (
        "{label} a expiré",
        "Le {ends_on} était le dernier jour de validité de {label}.",
    ),
    "agreement_lapsed": (
        "{label} n’a pas été signé à temps",
        "Le délai de signature de {label} a pris fin le {closed_at} avant que tous aient signé.",
    ),
    "agreement_held": (
        "{label} est mis en attente",
        "{label} est en attente parce que le partenaire est suspendu. Rien ne peut être signé entre-temps.",
    ),
    "agreement_hold_ended": (
        "{label} n’est plus en attente",
        "L’attente concernant {label} a pris fin. Le travail peut reprendre.",
    ),
}
