"""Users of every kind: what they are, what may happen to them, how they are listed."""
