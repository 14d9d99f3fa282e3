"""The text of an agreement: what a signature binds. One spelling of each text has one hash."""

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Self

from services.agreements.instruments.domain.profiles import KindProfile
from shared.errors import Invalid


@dataclass(frozen=True, kw_only=True)
class AgreementText:
    sha256: str
    content: str

    @classmethod
    def of(cls, written: str, profile: KindProfile) -> Self:
        """Composed characters and plain line ends, so that the same words typed elsewhere are the same
        text.
        """
        content = unicodedata.normalize("NFC", written).replace("\r\n", "\n").replace("\r", "\n").strip()
        if not content:
            raise Invalid("text_empty", "An agreement needs a text", field="text")
        size_bytes = len(content.encode())
        if size_bytes > profile.text_bytes_max:
            raise Invalid(
                "text_too_large",
                "The text is longer than this kind of agreement allows",
                field="text",
                size_bytes=size_bytes,
                bytes_max=profile.text_bytes_max,
            )
        return cls(sha256=hash_of(content), content=content)


def hash_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()
