"""Drift: do coders code at the end as at the beginning, and is what was coded like the rest?"""
