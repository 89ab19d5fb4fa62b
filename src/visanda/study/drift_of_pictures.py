"""Drift between what was coded and the rest: a model that learnt from the one is asked about the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.agreement import Array
from visanda.study.columns import numbers, require_columns
from visanda.study.probabilities import auc
from visanda.study.wording import p_value

FOLDS, COMPONENTS = 5, 32
MOST_OF_REST = 5000  # pictures of the rest that the test looks at, drawn at random
FEW = 25  # pictures of either side, below which nothing is tested
CLEAR = 0.01  # p of the two-sample test
SMALL, LARGE = 0.1, 0.25  # standardised mean differences (Austin 2009; Stuart 2010)
APART = 0.7  # AUC from which coded pictures and the rest look different
BINS = 10
UNLIKE = 48  # pictures of the rest that are least like coded ones
INK, OTHER = "#0072B2", "#D55E00"
MOST_DRAWN = 15


def drift_of_pictures(
    coded: pd.DataFrame,
    rest: pd.DataFrame,
    *,
    vectors: tuple[Array, Array] | None = None,
    weights: Array | None = None,
    seed: int = 1,
) -> Result:
    """How far the coded pictures differ from those that a model is applied to.

    Args:
        coded: (n, c) numbers about the coded pictures: predicted probabilities by models that have not seen them,
            measures. Gaps are left out.
        rest: (m, c) the same columns of the other pictures.
        vectors: (n, d) and (m, d) embeddings; rows that are not finite are left out.
        weights: (n,) one over the coded pictures' probabilities of being drawn, where these differ: a sample that
            was drawn unequally on purpose is no drift.
        seed: of folds and of the part of the rest that is looked at.

    Returns:
        A Result with a row a column, the most different first: column, coded and rest (means), difference
        (standardised mean difference, in standard deviations), low and high (95 %), ks (Kolmogorov–Smirnov, the
        largest gap of the cumulative shares, 0-1), psi (population stability index over tenths of the rest; from 0,
        above 0.25 large). ``extra["look"]``: AUC with which a cross-validated logistic regression on the vectors
        tells coded pictures from the rest (0.5: not at all), low, high, and p of the classifier two-sample test
        (Lopez-Paz & Oquab 2017). ``extra["unlike"]``: rows of the rest, by number, that are least like coded ones.

    Raises:
        InputError: columns that are not in both tables, text, vectors or weights of another length.

    Example:
        >>> random = np.random.default_rng(1)
        >>> few, many = pd.DataFrame({"p": random.normal(1, 1, 100)}), pd.DataFrame({"p": random.normal(0, 1, 900)})
        >>> bool(drift_of_pictures(few, many).table["difference"].item() > 0.7)
        True
    """
    require_columns(rest, list(coded.columns), "the rest's column")
    weight = np.ones(len(coded)) if weights is None else np.asarray(weights, dtype=float)
    if weight.shape != (len(coded),) or not (np.isfinite(weight) & (weight > 0)).all():
        raise InputError(f"weights: give one above 0 for each of the {len(coded)} coded pictures")
    lines = [_column(str(name), numbers(coded, name), numbers(rest, name), weight) for name in coded.columns]
    table = pd.DataFrame(lines, columns=["column", "coded", "rest", "difference", "low", "high", "ks", "psi"])
    table = table.sort_values("difference", key=np.abs, ascending=False, ignore_index=True, kind="stable")
    look = None if vectors is None else _look(vectors, (len(coded), len(rest)), weight, seed)
    extra = {} if look is None else {"look": look.table(), "unlike": look.unlike()}
    return Result(
        title="Coded pictures and the rest",
        table=table,
        words=_words(table, look, len(coded), len(rest)),
        warnings=_warnings(table, look, len(coded)),
        draw=partial(_figure, table, look) if len(table) or look else None,
        provenance={"coded": len(coded), "rest": len(rest), "weighted": weights is not None, "seed": seed},
        extra=extra,
    )


@dataclass(frozen=True)
class Look:
    """How well coded pictures can be told from the rest.

    Attributes:
        auc: mean over folds.
        error: its standard error.
        p: of no difference, one-sided.
        coded: (n,) log odds of being coded, by models that had not seen the picture.
        rest: (m,) the same of the rest, or of a part of it,
        place: (m,) whose rows these are.
    """

    auc: float
    error: float
    p: float
    coded: Array
    rest: Array
    place: NDArray[np.intp]

    def table(self) -> pd.DataFrame:
        """One row."""
        low, high = max(self.auc - 1.96 * self.error, 0), min(self.auc + 1.96 * self.error, 1)
        return pd.DataFrame({"auc": [self.auc], "low": [low], "high": [high], "p": [self.p]})

    def unlike(self) -> pd.DataFrame:
        """Rows of the rest that are least like coded ones, the least first."""
        least = np.argsort(self.rest, kind="stable")[:UNLIKE]
        return pd.DataFrame({"row": self.place[least], "log_odds": self.rest[least]})


def _column(name: str, coded: pd.Series, rest: pd.Series, weight: Array) -> tuple[object, ...]:
    known = coded.notna().to_numpy()
    ours, theirs, weight = coded.to_numpy()[known], rest.dropna().to_numpy(), weight[known]
    if not len(ours) or not len(theirs):
        return (name, *[np.nan] * 7)
    mean = np.average(ours, weights=weight)
    pooled = np.sqrt((np.average((ours - mean) ** 2, weights=weight) + theirs.var()) / 2)
    difference = (mean - theirs.mean()) / pooled if pooled > 0 else (0.0 if mean == theirs.mean() else np.nan)
    effective = weight.sum() ** 2 / (weight**2).sum()  # Kish
    reach = 1.96 * np.sqrt(1 / effective + 1 / len(theirs) + difference**2 / 2 / (effective + len(theirs)))
    return (
        name,
        mean,
        theirs.mean(),
        difference,
        difference - reach,
        difference + reach,
        _gap(ours, theirs, weight),
        _stability(ours, theirs, weight),
    )


def _gap(ours: Array, theirs: Array, weight: Array) -> float:
    at = np.sort(np.concatenate([ours, theirs]))
    order = np.argsort(ours, kind="stable")
    reached = np.r_[0, np.cumsum(weight[order])] / weight.sum()
    mine = reached[np.searchsorted(ours[order], at, side="right")]
    return float(np.abs(mine - np.searchsorted(np.sort(theirs), at, side="right") / len(theirs)).max())


def _stability(ours: Array, theirs: Array, weight: Array) -> float:
    """Population stability index; half a picture is added to each bin, so that an empty one is not infinite."""
    edges = np.unique(np.quantile(theirs, np.linspace(0, 1, BINS + 1)[1:-1]))
    effective = weight.sum() ** 2 / (weight**2).sum()
    mine = np.bincount(np.searchsorted(edges, ours, side="right"), weight, len(edges) + 1) / weight.sum() * effective
    other = np.bincount(np.searchsorted(edges, theirs, side="right"), minlength=len(edges) + 1)
    mine, other = (mine + 0.5) / (mine + 0.5).sum(), (other + 0.5) / (other + 0.5).sum()
    return float(((mine - other) * np.log(mine / other)).sum())


def _look(vectors: tuple[Array, Array], lengths: tuple[int, int], weight: Array, seed: int) -> Look | None:
    if tuple(map(len, vectors)) != lengths:
        raise InputError("vectors: give one for each coded picture, and one for each of the rest")
    ours, theirs = (np.flatnonzero(np.isfinite(part).all(axis=1)) for part in vectors)
    random = np.random.default_rng(seed)
    if len(theirs) > MOST_OF_REST:
        theirs = np.sort(random.choice(theirs, MOST_OF_REST, replace=False))
    if min(len(ours), len(theirs)) < FEW:
        return None
    features = np.concatenate([vectors[0][ours], vectors[1][theirs]]).astype(np.float32)
    is_coded = np.r_[np.ones(len(ours), bool), np.zeros(len(theirs), bool)]
    each = np.r_[weight[ours] / weight[ours].mean(), np.ones(len(theirs))]
    each[is_coded] *= len(theirs) / len(ours)
    odds, areas = np.empty(len(features)), []
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, is_coded):
        components = min(COMPONENTS, features.shape[1], len(train) - 1)
        model = make_pipeline(
            PCA(components, svd_solver="randomized" if components < features.shape[1] else "full", random_state=seed),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=500),
        )
        with threadpool_limits(1):  # small work is slower in threads
            model.fit(features[train], is_coded[train], logisticregression__sample_weight=each[train])
        odds[test] = model.decision_function(features[test])
        areas.append(float(auc(is_coded[test], odds[test], each[test])))
    area = float(np.mean(areas))
    effective = weight[ours].sum() ** 2 / (weight[ours] ** 2).sum()
    p = float(norm.sf((area - 0.5) / _error(0.5, effective, len(theirs))))
    return Look(area, _error(area, effective, len(theirs)), p, odds[is_coded], odds[~is_coded], theirs)


def _error(area: float, ours: float, theirs: int) -> float:
    """Standard error of a cross-validated AUC: Hanley & McNeil's (1982), larger since folds share training rows.

    The factor is Nadeau & Bengio's (2003); it errs on the side of caution.
    """
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (ours - 1) * (one - area**2) + (theirs - 1) * (two - area**2)
    return float(np.sqrt(max(variance, 0) / (ours * theirs) * (1 + FOLDS / (FOLDS - 1))))


def _words(table: pd.DataFrame, look: Look | None, coded: int, rest: int) -> list[str]:
    said = []
    if look is not None:
        line = look.table().iloc[0]
        said.append(
            f"By their looks, {coded:,} coded pictures can be told from the {rest:,} others with an AUC of "
            f"{line['auc']:.2f} (95 % interval {line['low']:.2f} to {line['high']:.2f}; 0.5 is not at all; classifier "
            f"two-sample test, {p_value(look.p)})."
        )
    known = table.dropna(subset=["difference"])
    if len(known):
        most = known.iloc[0]
        said.append(
            f"Of {len(known)} columns, {most['column']} differs most: its mean is {most['coded']:.3g} where coded and "
            f"{most['rest']:.3g} in the rest ({most['difference']:+.2f} standard deviations)."
        )
    return said or ["Nothing could be compared."]


def _warnings(table: pd.DataFrame, look: Look | None, coded: int) -> list[str]:
    found = []
    if coded < FEW:
        found.append(f"Only {coded} pictures are coded: below {FEW} drift is hard to see.")
    if look is not None and look.auc >= APART and look.p < CLEAR:
        found.append(
            "The rest does not look like what was coded: the model's accuracy there is not known. Code a random "
            "sample of the rest, first of the pictures least like coded ones."
        )
    sure = (table["low"] > SMALL) | (table["high"] < -SMALL)
    large = table[sure & (table["difference"].abs() >= LARGE)]
    if len(large):
        names = ", ".join(large["column"].head(5)) + (", ..." if len(large) > 5 else "")
        found.append(f"Coded pictures and the rest differ by {LARGE} standard deviations or more in: {names}.")
    return found


def _figure(table: pd.DataFrame, look: Look | None) -> Figure:
    shown = table.dropna(subset=["difference"]).head(MOST_DRAWN)
    panels = int(len(shown) > 0) + int(look is not None)
    figure = Figure(figsize=(5.4 * max(panels, 1), max(3.2, 1.4 + 0.3 * len(shown))), layout="constrained")
    all_axes = list(np.atleast_1d(figure.subplots(1, max(panels, 1))))
    if len(shown):
        _differences(all_axes.pop(0), shown)
    if look is not None:
        _scores(all_axes.pop(0), look)
    return figure


def _differences(axes: Axes, shown: pd.DataFrame) -> None:
    places = np.arange(len(shown))
    axes.axvspan(-SMALL, SMALL, color="0.93", zorder=0)
    axes.axvline(0, color="0.7", linewidth=1, zorder=1)
    axes.hlines(places, shown["low"], shown["high"], color="#9ecae1", linewidth=4)
    axes.plot(shown["difference"], places, "o", color=INK, markersize=5)
    axes.set_yticks(places, shown["column"].tolist(), fontsize=9)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    reach = max(0.5, float(shown[["low", "high"]].abs().to_numpy().max()) * 1.05)
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("Coded − rest, in standard deviations (95 % intervals)")
    axes.spines[["top", "right"]].set_visible(False)


def _scores(axes: Axes, look: Look) -> None:
    edges = np.linspace(*np.quantile(np.r_[look.coded, look.rest], [0.002, 0.998]), 31).tolist()
    for values, colour, name in ((look.coded, INK, "coded"), (look.rest, OTHER, "rest")):
        share = np.full(len(values), 1 / len(values))
        axes.hist(np.clip(values, edges[0], edges[-1]), edges, weights=share, color=colour, alpha=0.55, label=name)
    axes.set_xlabel("Looks like a coded picture (log odds)")
    axes.set_ylabel("Share of pictures")
    axes.set_title(f"Told apart with AUC {look.auc:.2f} (0.5: not at all)", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
