"""Arabic."""

WORDS = {
    "partner_registered": (
        "تم تسجيل {label} شريكًا",
        "أُدرجت {label} في سجل الشركاء.",
    ),
    "partner_suspended": (
        "تم تعليق شراكة {label}",
        "الشراكة مع {label} معلّقة. السبب: {reason}\n"
        "إلى أن تُستأنف، لا يمكن الاتفاق على شيء جديد أو توقيعه مع هذا الشريك.",
    ),
    "partner_reinstated": (
        "تم استئناف شراكة {label}",
        "رُفع تعليق الشراكة مع {label}. السبب: {reason}",
    ),
    "person_invited": (
        "أنت مدعو إلى تمثيل {label}",
        "تمت دعوتك إلى العمل باسم {label} في Concord.\n"
        "يعطيك من دعاك الرمز الذي تقبل به الدعوة، حتى {expires_at}.",
    ),
    "agreement_sent": (
        "{label} جاهز للتوقيع",
        "نص {label} «{title}» نهائي وقد أُرسل للتوقيع.\nيمكن توقيعه حتى {closes_at}.",
    ),
    "agreement_signed": (
        "توقيع جديد على {label}",
        "سُجّل توقيع أحد الطرفين على {label}.",
    ),
    "agreement_in_force": (
        "{label} نافذ",
        "{label} «{title}» نافذ من {effective_on} إلى {ends_on}.",
    ),
    "agreement_expired": (
        "انتهت مدة {label}",
        "كان {ends_on} آخر يوم لنفاذ {label}.",
    ),
    "agreement_lapsed": (
        "لم يوقَّع {label} في الموعد",
        "انتهت مهلة توقيع {label} في {closed_at} قبل أن يوقّع الجميع.",
    ),
    "agreement_held": (
        "{label} متوقف",
        "{label} متوقف لأن الشراكة معلّقة. لا يمكن توقيع أي شيء في هذه الأثناء.",
    ),
    "agreement_hold_ended": (
        "لم يعد {label} متوقفًا",
        "انتهى توقف {label}. يمكن مواصلة العمل.",
    ),
}
