"""The address book: names and addresses of those who are written to, fetched, dropped and never logged."""
