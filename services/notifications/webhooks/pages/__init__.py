"""The screens of webhooks: endpoints, what was sent to them, and a receiver for the demonstration."""
