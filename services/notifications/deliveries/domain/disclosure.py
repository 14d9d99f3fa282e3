"""Who may know of an event: the rule of the house, under the name that notices know it by."""

from shared.contracts.disclosure import OUTSIDERS, STAFF, Reader, may_know

__all__ = ["OUTSIDERS", "STAFF", "Reader", "may_know"]
