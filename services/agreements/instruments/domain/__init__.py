"""What an agreement is and what may happen to it: no I/O, no clock."""
