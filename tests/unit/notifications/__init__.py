"""The rules of notifications, without I/O."""
