"""The demonstration's clock on a screen: what time it is for the house, and moving it on."""
