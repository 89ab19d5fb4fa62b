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
    """Three digits after the point, or two that count where these would all be 0; a real minus sign.

    >>> coefficient(-0.1234), coefficient(0.00012345), coefficient(123456.789)
    ('−0.123', '0.00012', '123,456.8')
    """
    if value != value:
        return "–"
    if value and abs(value) < 0.0005:
        return f"{value:.2g}".replace("-", "−")
    return (f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.3f}").replace("-", "−")


def p_value(p: float) -> str:
    """``= .031`` or ``< .001``; a dash where there is none.

    >>> p_value(0.0312), p_value(0.0001), p_value(float("nan"))
    ('= .031', '< .001', '–')
    """
    if p != p:
        return "–"
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".", 1)
