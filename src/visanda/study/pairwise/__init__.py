"""Pairwise comparison: which pairs are shown, and the scale that comes of what coders prefer."""
