"""Numbers as a reader wants them."""

from __future__ import annotations

from numbers import Integral


def number(value: object) -> str:
    """Whole numbers whole, others with the digits that mean something, a dash for what is missing.

    >>> number(12345), number(0.12345), number(45.678), number(float("nan"))
    ('12,345', '0.123', '45.7', '–')
    """
    if value is None or value != value:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, Integral):
        return f"{int(value):,}"
    real = float(value)  # type: ignore[arg-type]
    return coefficient(real) if abs(real) < 10 else f"{real:,.1f}".replace("-", "−")


def coefficient(value: float) -> str:
    """Three digits after the point, and a real minus sign."""
    return f"{value:.3f}".replace("-", "−")
