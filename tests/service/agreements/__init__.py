"""Agreements on a real MongoDB: races, timers, cascades, HTTP."""
