"""Error rates by group: whom a machine takes for what they are not, whom it misses, and for whom more often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.audit.rows import FEW, Array, Rows, cluster_warnings, clusters_said, collect
from visanda.study.bias.bias_words import bias_warnings, bias_words
from visanda.study.bias.calibrated import GAP, calibration_by_group, equal_calibration
from visanda.study.bias.equal_rates import equal_rates, holm
from visanda.study.bias.intersections import with_intersections
from visanda.study.bias.rates import ERRORS, SELECTION, rates, rates_by_group, side_by_side
from visanda.study.bias.rates_plot import rates_plot
from visanda.study.bias.worst import left_out, widest_differences, worst_groups
from visanda.study.estimating.choice import EQUAL
from visanda.study.sampling.sample import strata

UNKNOWN = (
    "No probabilities of the draw are known: rates speak of all units only if the coded ones are a simple random "
    "sample of them (then say so, with sample_prob='equal')."
)


def bias(
    machine: pd.Series,
    hand: pd.Series,
    groups: pd.DataFrame,
    weights: pd.Series | None = None,
    *,
    sample_prob: pd.Series | Literal["equal"] | None = None,
    cluster: pd.Series | None = None,
    probability: pd.DataFrame | pd.Series | None = None,
    positive: str | None = None,
    crossed: Sequence[str] = (),
    failed: pd.Series | None = None,
) -> Result:
    """Error rates of a machine by group, tests that they are equal, and the group it serves worst.

    Accuracy can be the same in two groups while errors are not: one is taken for what it is not, the other is missed,
    and shares of the two are wrong in opposite directions (Hardt, Price & Srebro 2016; Chouldechova 2017). Rates are of
    rows in which the machine has a value; how often it has one is a rate of its own, acceptance.

    Faces of one person or frames of one video are alike: with ``cluster``, intervals and tests are those of a sample of
    whole clusters (Korn & Graubard 1998; Rao, Scott & Skinner 1998).

    Args:
        machine: (n,) the machine's classes, missing where it abstained or failed.
        hand: (n,) hand codes of the same units, with the same index; rows without are left out.
        groups: (n, columns) what to compare: a column each. Numbers of more than 8 values are cut into quarters.
        weights: (n,) how much each row counts, such as survey weights.
        sample_prob: (n,) the known probability that each row was drawn for coding, in (0, 1]: rows count 1 / it. It
            may be missing where nothing was coded. ``"equal"``: a simple random sample; None: not known, which is said.
        cluster: (n,) what rows have in common (an account, a video); None: rows are independent.
        probability: (n, classes) the machine's probabilities, a column a class; or (n,) that of ``positive``.
        positive: the class that rates are about. By default, of two classes the second (of ``probability``, else by
            the alphabet); of more, each against all others.
        crossed: intersections, as ``age*outlet``; ``*`` alone: every pair of columns.
        failed: (n,) where a missing value is a failure.

    Returns:
        A Result with a row for everybody and for each group (and class, of several): n, the largest number of rows that
        a rate is of; false positive rate, false negative rate, selection rate (said to be of the class), acceptance
        rate, calibration gap (mean probability less share by hand), each followed further right by its 95 % interval
        and its rows. ``extra["rates"]`` has a row a rate, with the difference to all other rows; ``extra["tests"]``
        has tests of equal rates, corrected over all of them; ``extra["worst groups"]`` the highest error rates, with
        intervals that hold for all groups at once; ``extra["differences"]`` the demographic parity and equalised odds
        differences; ``extra["calibration"]`` the probabilities, with the expected calibration error.

    Raises:
        InputError: about different units, without hand codes or a column of groups, a class that nobody has, more
            than 30 groups, probabilities that are none, coded rows without a cluster.
        DesignError: probabilities of the draw that cannot be; all rows in one cluster, or each group in one.

    Example:
        >>> hand = pd.Series(["no", "yes"] * 60)
        >>> outlet = pd.DataFrame({"outlet": ["taz"] * 60 + ["FAZ"] * 60})
        >>> machine = hand.where(hand.index % 12 != 1, "no")  # misses every sixth
        >>> machine.loc[1:21:4] = "no"
        >>> found = bias(machine, hand, outlet)
        >>> worst = found.extra["worst groups"].set_index("rate")
        >>> worst.loc["false negative rate", "group"]
        'taz'
    """
    if not len(groups.columns):
        raise InputError("no column of groups: name one or more, such as perceived_age or outlet")
    rows = collect(machine, hand, groups, _weights(hand, weights, sample_prob), failed, cluster)
    rows = replace(rows, groups=with_intersections(rows.groups, crossed))
    by_hand, said = _named(rows.hand), _named(rows.machine)
    there = hand.notna().to_numpy()
    asked, chance = _classes(by_hand, said, None if probability is None else probability.loc[there], positive)
    counted = rates(rows, by_hand, said, asked)
    table = rates_by_group(rows, counted)
    worst, apart, tests = worst_groups(rows, counted), widest_differences(rows, counted), equal_rates(rows, counted)
    extra = {"tests": tests, "worst groups": worst, "differences": apart}
    if chance:
        calibrated = calibration_by_group(rows, by_hand, chance)
        table = pd.concat([table, _as_rates(calibrated)], ignore_index=True)
        both = pd.concat([tests.drop(columns="p_holm"), equal_calibration(rows, by_hand, chance)], ignore_index=True)
        extra |= {"tests": holm(both), "calibration": calibrated}
    small = [f"{group} ({n})" for group, n in _sizes(rows) if n < FEW]
    extra = {"rates": table, **extra}
    return Result(
        title=f"Bias of {machine.name or 'the machine'}: error rates by group",
        table=side_by_side(table),
        words=bias_words(table, extra, [str(name) for name in rows.groups], asked) + clusters_said(rows, cluster),
        warnings=bias_warnings(small, left_out(rows, counted), rows.weight, extra["tests"])
        + cluster_warnings(rows)
        + ([UNKNOWN] if sample_prob is None and weights is None else []),
        draw=partial(rates_plot, table, _panels(by_hand, asked, bool(chance))),
        provenance={
            "n": len(rows.hand),
            "classes": asked,
            "groups": list(rows.groups),
            "weighted": rows.weight.min() < rows.weight.max(),
            "sample_prob": EQUAL if isinstance(sample_prob, str) else None if sample_prob is None else "known",
            "cluster": None if cluster is None else str(cluster.name),
        },
        extra=extra,
    )


def _weights(
    hand: pd.Series, weights: pd.Series | None, sample_prob: pd.Series | Literal["equal"] | None
) -> pd.Series | None:
    """(n,) how much each row counts: 1 / probability of the draw, times its own weight.

    Raises:
        InputError: probabilities of other rows.
        DesignError: a probability that is missing, 0 or above 1 where there is a code.
    """
    if sample_prob is None or isinstance(sample_prob, str):
        if isinstance(sample_prob, str) and sample_prob != EQUAL:
            raise InputError(f"sample_prob={sample_prob!r}: give a probability a row, or {EQUAL!r}")
        return weights
    if not hand.index.equals(sample_prob.index):
        raise InputError(
            "the hand codes and the probabilities of the draw are not about the same units: join them by id"
        )
    coded = sample_prob[hand.notna()]
    if not coded.between(0, 1, inclusive="right").all():
        raise DesignError("probabilities of the draw must be known wherever there is a code: above 0, and 1 at most")
    return 1 / sample_prob if weights is None else weights / sample_prob


def _classes(
    hand: pd.Series, machine: pd.Series, probability: pd.DataFrame | pd.Series | None, positive: str | None
) -> tuple[list[str], dict[str, Array]]:
    """The classes that rates are about, and the (n,) probabilities of each."""
    there = sorted(set(hand) | set(machine.dropna()))
    if set(hand).isdisjoint(machine.dropna()):
        raise InputError(
            f"no class in common: the hand codes are {', '.join(sorted(set(hand))[:6])}, the machine's "
            f"{', '.join(sorted(set(machine.dropna()))[:6])}. Recode the hand codes"
        )
    if isinstance(probability, pd.DataFrame):
        there = [str(name) for name in probability] + [name for name in there if name not in map(str, probability)]
    if positive is not None and positive not in there:
        raise InputError(f"positive={positive!r} is no class here: there are {', '.join(there)}")
    asked = [positive] if positive is not None else there[1:] if len(there) == 2 else there
    if probability is None:
        return asked, {}
    if isinstance(probability, pd.Series):
        if len(asked) > 1:
            raise InputError("one column of probabilities and several classes: say of which it is, with positive")
        probability = probability.to_frame(asked[0])
    chance = {str(name): probability[name].to_numpy(dtype=float) for name in probability if str(name) in asked}
    for name, share in chance.items():
        known = share[np.isfinite(share)]
        if not ((known >= 0) & (known <= 1)).all():
            raise InputError(f"the probabilities of {name} must lie between 0 and 1")
    return asked, {name: share for name, share in chance.items() if np.isfinite(share).any()}


def _as_rates(calibrated: pd.DataFrame) -> pd.DataFrame:
    """Calibration gaps as further rows of the table of rates."""
    kept = ["by", "group", "class", "n", "low", "high", "difference", "difference_low", "difference_high"]
    return calibrated[kept].assign(rate=GAP, value=calibrated["gap"])


def _panels(hand: pd.Series, classes: list[str], probable: bool) -> list[tuple[str, str]]:
    """What the figure shows: of one class all rates, of several the errors of the commonest."""
    if len(classes) == 1:
        return [(rate, classes[0]) for rate in (*ERRORS, SELECTION, *([GAP] if probable else []))]
    common = [name for name in hand.value_counts().index if name in classes][:2]
    return [(rate, name) for name in common for rate in ERRORS]


def _sizes(rows: Rows) -> list[tuple[str, int]]:
    """Each group, with its column, and its rows."""
    return [(f"{by} = {group}", int(members.sum())) for by, group, members in rows.cells() if by]


def _named(column: pd.Series) -> pd.Series:
    """Classes by their names; missing where there is none."""
    return strata(column.to_frame("class"), ["class"]).where(column.notna(), None)
