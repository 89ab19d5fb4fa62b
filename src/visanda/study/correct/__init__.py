"""Corrections: estimates from a machine's values of all units and human codes of some."""
