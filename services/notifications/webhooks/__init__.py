"""Webhooks: what a system that subscribed is sent, signed, and to which addresses it may go."""
