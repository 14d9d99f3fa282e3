"""The clocks of the other services."""
