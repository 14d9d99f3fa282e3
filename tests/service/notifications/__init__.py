"""The outside world of notifications, on real sockets."""
