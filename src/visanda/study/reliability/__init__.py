"""Reliability: coders against one another, beyond what chance would give."""
