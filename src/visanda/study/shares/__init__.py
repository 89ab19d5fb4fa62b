"""Shares: how common something is, by group: naive, of the codes alone, corrected."""
