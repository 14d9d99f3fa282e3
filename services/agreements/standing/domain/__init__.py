"""What we know of partners, and whose eyes it is for."""
