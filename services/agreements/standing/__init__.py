"""Standing: what this service knows of partners, and as of when."""
