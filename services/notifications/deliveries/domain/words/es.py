"""Spanish."""

WORDS = {
    "partner_registered": (
        "{label} está registrado como asociado",
        "{label} ha sido inscrito en el registro de asociados.",
    ),
    "partner_suspended": (
        "{label} está suspendido como asociado",
        "La asociación con {label} está suspendida. Motivo: {reason}\n"
        "Hasta su restablecimiento no se puede acordar ni firmar nada nuevo con este asociado.",
    ),
    "partner_reinstated": (
        "{label} ha sido restablecido como asociado",
        "Se ha levantado la suspensión de {label}. Motivo: {reason}",
    ),
    "person_invited": (
        "Se le invita a representar a {label}",
        "Se le ha invitado a actuar en nombre de {label} en Concord.\n"
        "Quien le invita le facilita el código para aceptarla, hasta {expires_at}.",
    ),
    "agreement_sent": (
        "{label} está listo para la firma",
        "El texto de {label}, «{title}», es definitivo y se ha enviado para la firma.\n"
        "Puede firmarse hasta {closes_at}.",
    ),
    "agreement_signed": (
        "{label} tiene una nueva firma",
        "Se ha registrado la firma de una de las partes en {label}.",
    ),
    "agreement_in_force": (
        "{label} está en vigor",
        "{label}, «{title}», está en vigor desde {effective_on} hasta {ends_on}.",
    ),
    "agreement_expired": (
        "{label} ha vencido",
        "{ends_on} fue el último día de vigencia de {label}.",
    ),
    "agreement_lapsed": (
        "{label} no se firmó a tiempo",
        "El plazo para firmar {label} terminó el {closed_at} antes de que firmaran todas las partes.",
    ),
    "agreement_held": (
        "{label} está en espera",
        "{label} está en espera porque el asociado está suspendido. Entretanto no se puede firmar nada.",
    ),
    "agreement_hold_ended": (
        "{label} ya no está en espera",
        "La espera de {label} ha terminado. El trabajo puede continuar.",
    ),
}
