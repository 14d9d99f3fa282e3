"""What the words of agreements are called on a screen, and the sentences that are signed."""

from collections.abc import Mapping

from services.agreements.instruments.domain.states import Status
from shared.contracts.agreements.agreement import AgreementKind, HoldKind, Party
from shared.web.language import N_
from shared.web.words import add_words

# By the profile's `consent_wording`, which is kept with the evidence: a sentence that somebody has signed is
# never edited, a new one is a new line.
CONSENT: Mapping[str, str] = {
    "sign/1": N_("I have read this text, I am entitled to sign it for my side, and I sign it."),
}

add_words(
    {
        Status.DRAFT: N_("Draft"),
        Status.IN_SIGNATURE: N_("Out for signature"),
        Status.SIGNED: N_("Signed"),
        Status.IN_FORCE: N_("In force"),
        Status.EXPIRED: N_("Ended"),
        Status.LAPSED: N_("Lapsed"),
    },
    tones={
        Status.IN_SIGNATURE: "wait",
        Status.SIGNED: "note",
        Status.IN_FORCE: "good",
        Status.LAPSED: "stop",
    },
)
add_words({AgreementKind.MEMORANDUM: N_("Memorandum of understanding")})
add_words({HoldKind.PARTNER_SUSPENDED: N_("On hold")}, tones={HoldKind.PARTNER_SUSPENDED: "stop"})
add_words({Party.ORGANISATION: N_("The organisation"), Party.PARTNER: N_("The partner")})
