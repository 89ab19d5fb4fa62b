"""Ahead: how many codes, before anything is coded; and what coding twice buys.

A share p of n codes has the variance p (1 − p) / n. With a machine that is right in a share a of cases, the corrected
share's is about that of its errors: 1 − a in place of p (1 − p), as far as it errs both ways.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.correct.coded import FEWEST_CODED
from visanda.study.regression.coefficients import Z95
from visanda.study.reliability.needed_codes import standard_error_ahead

ACCURACIES = (0.7, 0.8, 0.9, 0.95)
DOUBLE = (0.0, 0.1, 0.25, 0.5, 1.0)


def codes_for_accuracy(half: float, accuracies: Sequence[float] = ACCURACIES) -> pd.DataFrame:
    """Codes with which an accuracy (or a recall, of codes of that class) is known to ± ``half``.

    Args:
        half: of the 95 % interval, 0 to 0.5.
        accuracies: that are expected, 0 to 1.

    Raises:
        InputError: an argument out of its range.

    Example:
        >>> codes_for_accuracy(0.03)["codes"].tolist()
        [897, 683, 385, 203]
    """
    if not 0 < half < 0.5:
        raise InputError(f"half={half}: half of an interval of a share lies between 0 and 0.5")
    if not all(0 < one < 1 for one in accuracies):
        raise InputError("accuracies lie between 0 and 1")
    share = np.asarray(accuracies, dtype=float)
    return pd.DataFrame({"accuracy": share, "codes": np.ceil((Z95 / half) ** 2 * share * (1 - share)).astype(int)})


def codes_for_share(
    target_se: float, share: float = 0.5, accuracies: Sequence[float] = ACCURACIES, n: int | None = None
) -> Result:
    """How many codes a share needs, before anything is coded: from codes alone, and with machines that err so often.

    Args:
        target_se: standard error of the share that is wanted, such as 0.02.
        share: that is expected, 0 to 1.
        accuracies: of the machine, as far as it can be guessed; its errors fall on both sides alike.
        n: units in all; None: as many as you like.

    Returns:
        A Result with a row a machine: machine (what it is), accuracy (missing: codes alone), error (variance of what
        the machine leaves open), codes, at least the 10 that an estimate takes; infinite where n units are too few.

    Raises:
        InputError: an argument out of its range.

    Example:
        >>> codes_for_share(0.02, 0.3).table["codes"].astype(int).tolist()
        [525, 525, 500, 250, 125]
    """
    if not (target_se > 0 and 0 < share < 1):
        raise InputError(f"target_se={target_se}, share={share}: give a standard error above 0 and a share in 0 to 1")
    whole = share * (1 - share)
    rows = []
    for accuracy in (None, *accuracies):
        error = whole if accuracy is None else min(1 - accuracy, whole)
        left = target_se**2 - (0.0 if n is None else (whole - error) / n)  # of the units, a sample of what could be
        codes = max(np.ceil(error / left - 1e-9), FEWEST_CODED) if left > 0 else np.inf
        called = "codes alone" if accuracy is None else f"right in {accuracy:.0%}"
        rows.append((called, accuracy or np.nan, error, codes if n is None or codes <= n else np.inf))
    table = pd.DataFrame(rows, columns=["machine", "accuracy", "error", "codes"])
    first = table["codes"].iloc[0]
    goal = f"A share of about {share:.0%} with a standard error of {target_se:.3g} (± {Z95 * target_se:.3g})"
    if np.isfinite(first):
        words = [f"{goal} takes {first:,.0f} codes of a simple random sample, without any machine."]
    else:
        floor = np.sqrt(whole / (n or 1))
        words = [
            f"{goal} cannot be reached with {n:,} units: with all of them coded the standard error would be "
            f"{floor:.3g} (± {Z95 * floor:.3g}). More units are needed, not more codes."
        ]
    words.append(
        "With a machine, codes only have to tell how it errs: the table has the number by its accuracy. Its errors are "
        "taken to fall on both sides alike; plan again with 'plan' once 50 units are coded."
    )
    return Result("Codes for a share, before anything is coded", table, words, provenance={"target_se": target_se})


def double_coding(codes: int, agreement_alpha: float = 0.8, share: float = 0.5) -> Result:
    """What a number of codes buys, by how many units are coded twice.

    Coding a unit twice tells how reliable coding is; coding another unit tells more about the share. Codes are as many
    either way.

    Args:
        codes: that can be paid for, 20 or more.
        agreement_alpha: Krippendorff's alpha that is expected, 0 to below 1.
        share: of the value that is estimated, 0 to 1.

    Returns:
        A Result with a row a share of units that are coded twice: double, units, half (of the 95 % interval of the
        share, from the codes alone) and half_alpha (of alpha's interval; missing where nothing is coded twice).

    Raises:
        InputError: an argument out of its range.

    Example:
        >>> double_coding(400).table["units"].tolist()
        [400, 363, 320, 266, 200]
    """
    if codes < 20 or not 0 < share < 1 or not 0 <= agreement_alpha < 1:
        raise InputError("give 20 codes or more, a share between 0 and 1, and an alpha from 0 to below 1")
    rows = []
    for double in DOUBLE:
        units = int(codes / (1 + double))
        twice = int(units * double)
        alpha = Z95 * standard_error_ahead(agreement_alpha, [share, 1 - share], twice) if twice else np.nan
        rows.append((double, units, Z95 * np.sqrt(share * (1 - share) / units), alpha))
    table = pd.DataFrame(rows, columns=["double", "units", "half", "half_alpha"])
    quarter = table.set_index("double").loc[0.25]
    words = [
        f"With {codes:,} codes, coding a quarter of the units twice leaves {quarter['units']:,.0f} units: the share is "
        f"known to ± {quarter['half']:.3f} in place of ± {table['half'].iloc[0]:.3f}, and alpha to "
        f"± {quarter['half_alpha']:.2f} in place of not at all.",
        "Codes count as true in a corrected estimate: what coders get wrong is not corrected by it. Coding twice is "
        "what tells how much that is, and adjudication mends it where they differ.",
    ]
    return Result("What coding twice buys", table, words, provenance={"codes": codes})
