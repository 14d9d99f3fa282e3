"""Deliveries: one for each event and recipient on each channel, from the rule that made it to its outcome."""
