"""Estimates side by side: naive, gold only, corrected; which correction is valid, and what it changed."""
