"""Calibration of face recognition: what a threshold on distances costs, from pairs known as same or different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial.distance import pdist
from scipy.stats import beta, binom

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.thresholds.calibration_plot import calibration_plot

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

IN_USE = 0.5  # the threshold that the faces' embedding starts with
FEW_PAIRS = 30
MOST_FACES = 10_000  # 50 million pairs, 400 MB
CURVE_POINTS = 1001
STRANGERS_AGAINST = 20  # people in the gallery of the example in the words
_LEVEL = 0.95


def calibrate(
    distances: np.ndarray,
    same: np.ndarray,
    group: Sequence[str] | np.ndarray | pd.Series | None = None,
    *,
    false_match_rate: float = 0.01,
    threshold: float = IN_USE,
) -> Result:
    """Error rates of verification by threshold, and which threshold to use (ISO/IEC 19795-1).

    Two faces match where their distance is at most the threshold. The false match rate is the share of pairs of
    different people that match, the false non-match rate the share of pairs of one person that do not. Intervals are
    exact and binomial (Clopper & Pearson 1934); that of a threshold is of a quantile, from order statistics. Both take
    pairs as independent: pairs that share faces or people carry less information, and the truth is wider.

    The threshold recommended is that of the false match rate asked for: a wrong name is data about somebody who is not
    there, while a face without a name is only missing, and each person in a gallery is one more chance of a wrong
    name. With too few pairs to show that rate (30 of one person; 3 / rate of different people, since none wrong among
    so many has the rate as its upper bound), it is the one in use.

    Args:
        distances: (n,) between the two faces of each pair, 0 or more.
        same: (n,) whether they are one person.
        group: (n,) a label of each pair, such as the gender or age of both people; null: of no group.
        false_match_rate: the one asked for, above 0 and below 1.
        threshold: the one in use, to see what it costs.

    Returns:
        A Result with a row for each of three thresholds (``in use``; the largest distance seen at which the ``false
        match rate`` is at most the one asked for; ``equal error rate``, where the two rates are nearest to each other)
        and its 95 % interval, both rates (0–1) with theirs, and whether it is ``recommended``. ``extra["curve"]`` has
        both rates at 1,001 thresholds; ``extra["groups"]`` those of each group at the recommended threshold, with the
        threshold that would give that group the false match rate asked for.

    Raises:
        InputError: tables of different lengths, missing or negative distances, pairs of only one kind, or a rate that
            is not between 0 and 1.

    Example:
        >>> found = calibrate(np.array([0.2, 0.3, 0.7, 0.8]), np.array([True, True, False, False]), threshold=0.25)
        >>> found.table[["threshold", "false_match_rate", "false_non_match_rate"]].to_numpy().tolist()
        [[0.25, 0.0, 0.5], [0.3, 0.0, 0.0], [0.3, 0.0, 0.0]]
    """
    apart, alike = _checked(distances, same)
    if not 0 < false_match_rate < 1:
        raise InputError(f"false_match_rate={false_match_rate}: give a share above 0 and below 1, such as 0.01")
    pairs = _Pairs(np.sort(apart[alike]), np.sort(apart[~alike]))
    few = min(len(pairs.same), len(pairs.different)) < FEW_PAIRS or len(pairs.different) < _needed(false_match_rate)
    rows = [
        _row("in use", pairs, threshold, (np.nan, np.nan), few),
        _row("false match rate", pairs, *_at_false_match_rate(pairs, false_match_rate), not few),
        _row("equal error rate", pairs, _equal_error(pairs), (np.nan, np.nan), False),
    ]
    table = pd.DataFrame(rows)
    best = float(table.loc[table["recommended"], "threshold"].iloc[0])
    groups = None if group is None else _by_group(apart, alike, group, best, false_match_rate)
    return Result(
        title="Calibration of face recognition",
        table=table,
        words=_words(table, pairs, false_match_rate, few),
        warnings=_warnings(table, pairs, false_match_rate) + _group_warnings(groups),
        draw=partial(calibration_plot, pairs.same, pairs.different, _curve(pairs), best, threshold, groups),
        provenance={
            "pairs_same": len(pairs.same),
            "pairs_different": len(pairs.different),
            "false_match_rate": false_match_rate,
            "threshold": threshold,
            "recommended": best,
        },
        extra={"curve": _curve(pairs), **({} if groups is None else {"groups": groups})},
    )


def pairs(embeddings: np.ndarray, people: Sequence[str]) -> tuple[Array, Flags]:
    """All pairs of labelled faces: their L2 distances, and whether they are one person.

    Args:
        embeddings: (n, d), where a face with NaN has no embedding and is left out.
        people: n names.

    Returns:
        ``distances`` and ``same``, both (k (k − 1) / 2,) of k faces, in the order (0, 1), (0, 2), ..., (1, 2), ...

    Raises:
        InputError: as many names as faces are not given, or more than 10,000 faces: draw a sample of them.

    Example:
        >>> pairs(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]), ["Ada", "Bob", "Ada"])[1].tolist()
        [False, True, False]
    """
    faces = np.asarray(embeddings, dtype=float)
    if faces.ndim != 2 or len(faces) != len(people):
        raise InputError(f"embeddings of shape {faces.shape} and {len(people)} names: give a row and a name a face")
    there = np.isfinite(faces).all(axis=1)
    if there.sum() > MOST_FACES:
        raise InputError(f"{there.sum():,} faces make too many pairs: draw a sample of {MOST_FACES:,} or fewer")
    who = pd.factorize(np.array(list(people), dtype=object)[there])[0]
    first, second = np.triu_indices(len(who), 1)
    return pdist(faces[there]), who[first] == who[second]


@dataclass(frozen=True)
class _Pairs:
    """Sorted distances of pairs of one person and of different people."""

    same: Array
    different: Array

    def false_matches(self, threshold: float) -> int:
        return int(np.searchsorted(self.different, threshold, side="right"))

    def false_non_matches(self, threshold: float) -> int:
        return len(self.same) - int(np.searchsorted(self.same, threshold, side="right"))


def _needed(rate: float) -> int:
    """Pairs of different people that can show a false match rate: none wrong among 3 / rate (the rule of three)."""
    return int(np.ceil(3 / rate))


def _row(
    name: str, pairs: _Pairs, threshold: float, interval: tuple[float, float], recommended: bool
) -> dict[str, object]:
    row: dict[str, object] = {
        "at": name,
        "threshold": threshold,
        "threshold_low": interval[0],
        "threshold_high": interval[1],
    }
    return row | _rates(pairs, threshold) | {"recommended": recommended}


def _rates(pairs: _Pairs, threshold: float) -> dict[str, float]:
    """Both rates with their intervals; NaN where there is no pair of the kind."""
    row = {}
    for name, wrong, of in (
        ("false_match_rate", pairs.false_matches(threshold), len(pairs.different)),
        ("false_non_match_rate", pairs.false_non_matches(threshold), len(pairs.same)),
    ):
        row[name] = wrong / of if of else np.nan
        row[f"{name}_low"], row[f"{name}_high"] = _clopper_pearson(wrong, of)
    return row


def _clopper_pearson(wrong: int, of: int) -> tuple[float, float]:
    if not of:
        return np.nan, np.nan
    tail = (1 - _LEVEL) / 2
    low = float(beta.ppf(tail, wrong, of - wrong + 1)) if wrong else 0.0
    high = float(beta.ppf(1 - tail, wrong + 1, of - wrong)) if wrong < of else 1.0
    return low, high


def _at_false_match_rate(pairs: _Pairs, rate: float) -> tuple[float, tuple[float, float]]:
    """The largest distance seen at which no more than ``rate`` of different people match, and its interval.

    Without one, 0. The interval is that of the quantile: between the order statistics that hold it in 95 % of samples;
    0 and infinity where the pairs are too few for one.
    """
    seen = np.unique(np.concatenate([pairs.same, pairs.different]))
    matches = np.searchsorted(pairs.different, seen, side="right")
    fit = seen[matches <= rate * len(pairs.different) * (1 + 1e-12)]
    n = len(pairs.different)
    tail = (1 - _LEVEL) / 2
    below, above = int(binom.ppf(tail, n, rate)), int(binom.ppf(1 - tail, n, rate)) + 1
    low = float(pairs.different[below - 1]) if below else 0.0
    high = float(pairs.different[above - 1]) if above <= n else np.inf
    return float(fit[-1]) if len(fit) else 0.0, (low, high)


def _equal_error(pairs: _Pairs) -> float:
    """The distance seen at which the two rates are nearest to each other, the smallest of several."""
    seen = np.unique(np.concatenate([pairs.same, pairs.different]))
    matched = np.searchsorted(pairs.different, seen, side="right") / len(pairs.different)
    missed = 1 - np.searchsorted(pairs.same, seen, side="right") / len(pairs.same)
    return float(seen[np.abs(matched - missed).argmin()])


def _curve(pairs: _Pairs) -> pd.DataFrame:
    largest = max(pairs.same[-1], pairs.different[-1])
    at = np.linspace(0, largest, CURVE_POINTS)
    return pd.DataFrame(
        {
            "threshold": at,
            "false_match_rate": np.searchsorted(pairs.different, at, side="right") / len(pairs.different),
            "false_non_match_rate": 1 - np.searchsorted(pairs.same, at, side="right") / len(pairs.same),
        }
    )


def _by_group(
    apart: Array, alike: Flags, group: Sequence[str] | np.ndarray | pd.Series, threshold: float, rate: float
) -> pd.DataFrame:
    label = pd.Series(np.asarray(group, dtype=object))
    if len(label) != len(apart):
        raise InputError(f"{len(apart)} pairs and {len(label)} group labels: give each pair one, or null")
    rows = []
    for name, places in label.groupby(label, sort=True).indices.items():
        of, one = apart[places], alike[places]
        pairs = _Pairs(np.sort(of[one]), np.sort(of[~one]))
        own = _at_false_match_rate(pairs, rate)[0] if len(pairs.different) else np.nan
        counts = {"pairs_same": len(pairs.same), "pairs_different": len(pairs.different)}
        rows.append({"group": name} | counts | _rates(pairs, threshold) | {"own_threshold": own})
    if not rows:
        raise InputError("no pair has a group label: leave group out, or give labels")
    return pd.DataFrame(rows)


def _words(table: pd.DataFrame, pairs: _Pairs, rate: float, few: bool) -> list[str]:
    best = table[table["recommended"]].iloc[0]
    equal = table[table["at"] == "equal error rate"].iloc[0]
    error = (equal["false_match_rate"] + equal["false_non_match_rate"]) / 2
    reason = (
        f"there are too few pairs to choose another (that takes {FEW_PAIRS} of one person and "
        f"{max(FEW_PAIRS, _needed(rate)):,} of different people)"
        if few
        else f"it keeps false matches to {rate:.1%}: a wrong name is worse than a face without one"
    )
    strangers, at_most = (
        1 - (1 - best[rate_of]) ** STRANGERS_AGAINST for rate_of in ("false_match_rate", "false_match_rate_high")
    )
    return [
        f"Of {len(pairs.same):,} pairs of one person and {len(pairs.different):,} of different people, a threshold "
        f"of {best['threshold']:.3f} matches {best['false_match_rate']:.2%} of different people (95 % interval "
        f"{best['false_match_rate_low']:.2%} to {best['false_match_rate_high']:.2%}) and misses "
        f"{best['false_non_match_rate']:.2%} of same ones ({best['false_non_match_rate_low']:.2%} to "
        f"{best['false_non_match_rate_high']:.2%}). It is recommended because {reason}.",
        f"At {equal['threshold']:.3f} the two rates are nearest to each other (equal error rate {error:.2%}).",
        f"Rates are of pairs. Against a gallery of {STRANGERS_AGAINST} people with a picture each, a stranger would be "
        f"given a wrong name in about {strangers:.1%} (at the upper end of the interval, {at_most:.1%}), if pairs "
        "were independent.",
    ]


def _warnings(table: pd.DataFrame, pairs: _Pairs, rate: float) -> list[str]:
    found = []
    if min(len(pairs.same), len(pairs.different)) < FEW_PAIRS:
        found.append(
            f"Only {len(pairs.same)} pairs of one person and {len(pairs.different)} of different people: rates are "
            f"rough below {FEW_PAIRS} of either."
        )
    needed = _needed(rate)
    if len(pairs.different) < needed:
        found.append(
            f"{len(pairs.different):,} pairs of different people cannot show a false match rate of {rate:.1%}: that "
            f"takes about {needed:,} or more."
        )
    asked = table[table["at"] == "false match rate"].iloc[0]
    if asked["threshold"] == 0 or asked["false_non_match_rate"] > 0.5:
        found.append(
            f"At a false match rate of {rate:.1%}, {asked['false_non_match_rate']:.0%} of pairs of one person would be "
            "missed: are the labels right, and the faces large and sharp enough?"
        )
    return found


def _group_warnings(groups: pd.DataFrame | None) -> list[str]:
    if groups is None:
        return []
    found = []
    small = groups[(groups["pairs_same"] < FEW_PAIRS) | (groups["pairs_different"] < FEW_PAIRS)]
    if len(small):
        found.append(f"Fewer than {FEW_PAIRS} pairs of either kind in: {', '.join(map(str, small['group']))}.")
    for rate, what in (("false_match_rate", "matched"), ("false_non_match_rate", "missed")):
        known = groups[groups[rate].notna()]
        if known.empty:
            continue
        most = known.iloc[int(known[f"{rate}_low"].argmax())]
        least = known.iloc[int(known[f"{rate}_high"].argmin())]
        if most[f"{rate}_low"] > least[f"{rate}_high"]:
            found.append(
                f"One threshold is not fair to all: {most['group']} is wrongly {what} in {most[rate]:.1%}, "
                f"{least['group']} in {least[rate]:.1%}. Differences between groups may come from this."
            )
    return found


def _checked(distances: np.ndarray, same: np.ndarray) -> tuple[Array, Flags]:
    apart, given = np.asarray(distances, dtype=float), np.asarray(same)
    if apart.ndim != 1 or given.shape != apart.shape:
        raise InputError(f"distances of shape {apart.shape}, same of shape {given.shape}: give each pair both")
    if not (np.isfinite(apart) & (apart >= 0)).all():
        raise InputError("a distance is missing or negative: leave such pairs out")
    if given.dtype != bool and not np.isin(given, (0, 1)).all():
        raise InputError("same must be true or false in every pair")
    alike = given.astype(bool)
    if alike.all() or not alike.any():
        raise InputError("pairs of one person and pairs of different people are both needed: give some of either")
    return apart, alike
