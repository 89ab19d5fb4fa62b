"""Audit: how far a machine's values agree with hand codes, and whether that differs by group."""
