"""The world outside of the directory: whoever signs people in."""
