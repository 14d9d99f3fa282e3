"""Parts the tests share: a small aggregate, opened storage, receivers."""
