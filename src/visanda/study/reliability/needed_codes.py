"""How many units two people have to code, for an interval of alpha that is narrow enough."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.reliability.coders import Coded, Scale
from visanda.study.reliability.measures import ALPHA, measured
from visanda.study.resampling import Spread
from visanda.study.wording import number

Array = NDArray[np.float64]
Z = 1.959964
WIDTH = 0.1
WIDTHS = (0.05, 0.075, 0.1, 0.15, 0.2)


def needed(
    codes: pd.DataFrame,
    *,
    width: float = WIDTH,
    scale: Scale = "nominal",
    order: Sequence[Hashable] | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> Result:
    """How many units must be coded twice for a 95 % interval of alpha of plus or minus ``width``.

    The bootstrap's standard error of the codes at hand, which falls with the root of the number of units.

    Args:
        codes: columns id, coder and value.
        width: half of the interval, in units of alpha (0-1).
        scale: of the variable.
        order: the values, from the lowest to the highest where the scale is ordinal.
        resamples: of the bootstrap over units.
        seed: of the bootstrap.

    Returns:
        A Result with width and units, for ``width`` and some others; NaN where alpha is not defined.

    Raises:
        InputError: a width that is not above 0, no unit with two codes, or as ``reliability``.

    Example:
        >>> codes = pd.DataFrame({"id": [*range(40)] * 2, "coder": ["a"] * 40 + ["b"] * 40})
        >>> codes["value"] = ["yes", "no"] * 20 + ["yes", "no"] * 15 + ["no", "yes"] * 5
        >>> needed(codes, width=0.1).words[0].split(" (")[0]
        'For an interval of alpha of ± 0.100, about 301 units have to be coded twice'
    """
    if not width > 0:
        raise InputError(f"width={width!r}: half of the interval must be above 0, such as 0.1")
    coded = Coded.of(codes, scale, order)
    units = int((coded.many >= 2).sum())
    if not units:
        raise InputError("no unit has two codes: use units_for_alpha, which needs only the shares that you expect")
    _, drawn = measured(coded, resamples, seed)
    error = standard_error(drawn, scale)
    widths = sorted({width, *WIDTHS})
    table = pd.DataFrame({"width": widths, "units": [units_for(error, units, each) for each in widths]})
    return Result("Units to be coded twice", table, [sentence(error, units, width)], provenance={"units": units})


def standard_error(drawn: Spread, scale: Scale) -> float:
    """Of alpha: its standard deviation over the resamples in which it is defined; NaN of none."""
    values = drawn.drawn[ALPHA[scale]]
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else np.nan


def units_for(error: float, units: int, width: float) -> float:
    """Units for a half width, given the standard error that ``units`` of them gave; NaN where it is 0 or unknown."""
    return float(np.ceil(units * (Z * error / width) ** 2)) if error > 0 else np.nan


def sentence(error: float, units: int, width: float = WIDTH) -> str:
    """The answer in words."""
    wanted = units_for(error, units, width)
    if np.isnan(wanted):
        return f"How many units a narrower interval of alpha needs cannot be told from these {units:,} units."
    return (
        f"For an interval of alpha of ± {number(width)}, about {wanted:,.0f} units have to be coded twice "
        f"({units:,} are; their standard error is {number(error)})."
    )


def units_for_alpha(width: float, alpha: float, shares: Sequence[float]) -> int:
    """How many units two coders must code before any is coded, for an interval of nominal alpha of ± ``width``.

    The variance of alpha by the delta method, for coders who agree beyond chance in a share ``alpha`` of units and
    otherwise give values by chance; with two values it is that of Bloch & Kraemer (1989).

    Args:
        width: half of the 95 % interval.
        alpha: that is expected, from 0 to below 1.
        shares: how often each value is expected, in any unit: they are scaled to 1.

    Raises:
        InputError: an argument outside its range, or fewer than two shares above 0.

    Example:
        >>> units_for_alpha(0.1, 0.8, [0.5, 0.5]), units_for_alpha(0.1, 0.8, [0.9, 0.1])
        (139, 401)
    """
    share = np.asarray(shares, dtype=float)
    if not (width > 0 and 0 <= alpha < 1):
        raise InputError(f"width={width!r}, alpha={alpha!r}: width must be above 0, alpha from 0 to below 1")
    if not np.isfinite(share).all() or (share < 0).any() or (share > 0).sum() < 2:
        raise InputError("shares: give how often each value is expected, two or more of them above 0")
    return int(np.ceil((Z / width) ** 2 * _variance(alpha, share / share.sum())))


def standard_error_ahead(alpha: float, shares: Sequence[float], units: int) -> float:
    """The standard error of nominal alpha with so many units coded twice, before any is coded.

    Arguments as of :func:`units_for_alpha`.
    """
    share = np.asarray(shares, dtype=float)
    return float(np.sqrt(_variance(alpha, share / share.sum()) / units))


def _variance(alpha: float, share: Array) -> float:
    """Of alpha, times the number of units: the variance of what each unit adds to it."""
    same = np.eye(len(share))
    cells = alpha * np.diag(share) + (1 - alpha) * np.outer(share, share)
    expected = 1 - (share**2).sum()
    # a pair of values (x, y) moves expected disagreement by -2 Σ share · (what the pair adds to it)
    moved = -(share[:, None] + share - 2 * (share**2).sum())
    influence = ((1 - same) - (1 - alpha) * expected) / expected - (1 - alpha) * moved / expected
    return float((cells * influence**2).sum())
