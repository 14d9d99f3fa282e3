"""A person, a system, and the scopes that narrow what either may do."""
