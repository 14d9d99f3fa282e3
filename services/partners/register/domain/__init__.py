"""A partner, and when two names are one."""
