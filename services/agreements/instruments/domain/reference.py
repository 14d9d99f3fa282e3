"""The number people cite: UNH/MOU/2027/0041, counted by kind and year."""

from services.agreements.instruments.domain.profiles import KindProfile
from shared.errors import Refusal

NUMBER_MAX = 9_999


def series(profile: KindProfile, year: int) -> str:
    return f"UNH/{profile.ref_code}/{year}"


def reference(series: str, number: int) -> str:
    if number > NUMBER_MAX:
        raise Refusal("numbers_exhausted", "Every number of this year has been given", series=series)
    return f"{series}/{number:04d}"
