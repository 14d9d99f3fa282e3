"""My work: what each person must do by when, gathered from what the services assign."""
