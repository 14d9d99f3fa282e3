"""E-mail: what a message is made of, and how it leaves the house."""
