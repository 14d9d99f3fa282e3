"""What is known of a person outside the streams: how to address them. Partners keeps it; this is a copy."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Address:
    person_id: str
    name: str
    email: str
    language: str
