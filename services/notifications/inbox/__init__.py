"""The inbox: what a person is told inside the house, in order, to be read again and marked as read."""
