"""Regressions on plain tables: formulas, models, coefficients."""
