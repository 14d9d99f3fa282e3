"""The feed: every event, for whoever pulls instead of being pushed to, skipping none."""
