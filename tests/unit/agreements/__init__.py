"""The rules of agreements, without any I/O."""
