"""Instruments: agreements themselves, and the signatures that bind both sides to one text."""
