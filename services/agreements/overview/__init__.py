"""What each partner has agreed with us, at a glance: a view over partners and agreements together."""
