"""Sampling: what is drawn to be coded, with which probabilities, in which rounds, and who codes it."""
