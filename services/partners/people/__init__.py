"""The directory: the token says who somebody is, this says what they may do."""
