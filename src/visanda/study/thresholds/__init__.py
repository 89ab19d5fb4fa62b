"""Thresholds: where to draw the line, so that errors are as rare as was promised."""
