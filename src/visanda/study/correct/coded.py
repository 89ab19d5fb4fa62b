"""Which rows people coded, and how probable it was that they would."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.study.columns import numbers, numeric, require_columns
from visanda.study.regression.formula import complete, sides

FEWEST_CODED = 10  # below this no variance can be believed
EQUAL = "equal"  # sample_prob of a simple random sample of all rows


@dataclass(frozen=True)
class CodedRows:
    """The n complete rows of a study in which some are coded by hand.

    Attributes:
        data: the rows; predicted variables as floats, or as text where they are categories; missing where not coded.
        categories: the values of each predicted variable that is a category, of those that were coded, sorted.
        coded: (n,) whether every predicted variable is coded.
        weight: (n,) coded / probability of being coded, 0 where not coded; about n in sum.
        cluster: (n,) number of the row's cluster from 0, or None.
        n_dropped: rows left out because an observed column or a prediction is missing.
        n_partly: rows coded for some predicted variables only, which count as not coded.
        n_uncoded_draws: rows with a probability but no code, where only drawn rows carry one; else 0.
        survey: (n,) how much each row counts in the model, 1 on average.
    """

    data: pd.DataFrame
    categories: dict[str, tuple[str, ...]]
    coded: NDArray[np.bool_]
    weight: NDArray[np.float64]
    cluster: NDArray[np.intp] | None
    n_dropped: int
    n_partly: int
    n_uncoded_draws: int
    survey: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Rows in all."""
        return len(self.coded)

    @property
    def n_coded(self) -> int:
        """Rows coded by hand."""
        return int(self.coded.sum())

    @property
    def unit(self) -> NDArray[np.intp]:
        """(n,) what was drawn together: the cluster, or the row itself where there are none."""
        return np.arange(self.n) if self.cluster is None else self.cluster


def coded_rows(
    data: pd.DataFrame,
    formula: str,
    predicted_var: list[str],
    needed: list[str],
    sample_prob: str | None,
    cluster: str | None,
    weights: str | None = None,
) -> CodedRows:
    """Set apart the complete rows of ``data``, the coded among them and their weights.

    Args:
        data: a row a unit; a predicted variable is missing where nobody coded it.
        formula: R-style, with a ``~``.
        predicted_var: the variables of the formula that need human coding.
        needed: further columns that may not be missing: predictions, labels.
        sample_prob: column with the probability, in (0, 1], that the row was drawn for coding. It may be
            missing where the row was not coded. ``"equal"`` or None: every row was as likely as any other.
        cluster: column of clusters, or None.
        weights: column of how much each row counts in the model, above 0; None: all alike.

    Raises:
        InputError: a column that is not there, a predicted variable that the formula does not use.
        DesignError: too few coded rows, a predicted variable with one value, probabilities that cannot be, one cluster.
    """
    sample_prob = None if sample_prob == EQUAL else sample_prob
    used = set().union(*sides(formula))
    require_columns(data, sorted(used), "the formula's variable")
    for name in predicted_var:
        require_columns(data, [name], "the predicted variable")
        if name not in used:
            raise InputError(
                f"the predicted variable {name!r} is not in the formula {formula!r}: add it or leave it out"
            )
    known = [*([sample_prob] if sample_prob else []), *([weights] if weights else [])]
    rows = data.assign(**{name: numbers(data, name) for name in known})
    rows = rows.assign(**{name: _codes(data, name) for name in predicted_var})
    observed = (used - set(predicted_var)) | set(needed)
    rows = complete(rows, observed | {name for name in (cluster, weights) if name})
    has_code = rows[predicted_var].notna()
    coded = has_code.all(axis=1).to_numpy()
    _refuse_too_little(rows.loc[coded, predicted_var])
    if cluster:
        _refuse_one_cluster(rows[cluster], coded)
    weight, n_uncoded_draws = _weights(coded, rows[sample_prob] if sample_prob else None)
    texts = [name for name in predicted_var if not pd.api.types.is_float_dtype(rows[name])]
    return CodedRows(
        data=rows,
        categories={name: tuple(sorted(set(rows.loc[coded, name]))) for name in texts},
        coded=coded,
        weight=weight,
        cluster=pd.factorize(rows[cluster])[0] if cluster else None,
        n_dropped=len(data) - len(rows),
        n_partly=int((has_code.any(axis=1) & ~coded).sum()),
        n_uncoded_draws=n_uncoded_draws,
        survey=_survey(rows, weights),
    )


def _codes(data: pd.DataFrame, name: str) -> pd.Series:
    """Codes as floats; categories as text."""
    column = numeric(data[name])
    if column.isna().all() or pd.api.types.is_float_dtype(column):
        return numbers(data, name)
    return column.astype(object).map(str, na_action="ignore")


def _survey(rows: pd.DataFrame, weights: str | None) -> NDArray[np.float64]:
    if weights is None:
        return np.ones(len(rows))
    counts = rows[weights].to_numpy(dtype=float)
    if not (counts > 0).all():
        raise InputError(f"the weight {weights!r} is 0 or below in {(counts <= 0).sum():,} rows: leave them out")
    return counts / counts.mean()


def _refuse_too_little(codes: pd.DataFrame) -> None:
    if len(codes) < FEWEST_CODED:
        raise DesignError(
            f"{len(codes)} of the complete rows are coded by hand; at least {FEWEST_CODED} are "
            "needed to correct for the machine's errors, and 200 or more to do it well. Draw a random "
            "sample and code it."
        )
    for name in codes:
        if codes[name].nunique() == 1:
            raise DesignError(
                f"all {len(codes)} coded rows have {name} = {_said(codes[name].iloc[0])}, so nothing can be "
                "learnt about the machine's errors. Code more rows, and draw those with a higher probability "
                "where the machine sees something else."
            )


def _refuse_one_cluster(cluster: pd.Series, coded: NDArray[np.bool_]) -> None:
    for rows, called in ((cluster, "rows"), (cluster[coded], "coded rows")):
        if rows.nunique() == 1:
            raise DesignError(
                f"all {len(rows):,} {called} lie in one cluster of {cluster.name!r} ({rows.iloc[0]}): how much "
                "clusters differ cannot be known from one. Code rows of several, or leave the cluster out."
            )


def _said(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _weights(coded: NDArray[np.bool_], probability: pd.Series | None) -> tuple[NDArray[np.float64], int]:
    if probability is None:
        return coded / coded.mean(), 0
    refuse_impossible(coded, probability)
    share = probability.to_numpy(dtype=float)
    known = ~np.isnan(share)
    inverse = np.where(coded, 1 / np.where(known, share, 1.0), 0.0)
    if known.all():
        return inverse * share.mean() / coded.mean(), 0
    # Only drawn rows carry a probability: scaled so that weights add up to all rows (Hájek).
    return inverse * len(coded) / inverse.sum(), int((known & ~coded).sum())


def refuse_impossible(coded: NDArray[np.bool_], probability: pd.Series) -> None:
    """DesignError where a coded row has no probability of being drawn, or any row one that is none."""
    name, share = probability.name, probability.to_numpy(dtype=float)
    known = ~np.isnan(share)
    if not known[coded].all():
        raise DesignError(
            f"{(~known[coded]).sum()} coded rows have no {name}: the probability with which a row was drawn "
            "must be known. Leave out the codes of rows that were not drawn, or give them their probability."
        )
    wrong = share[known & ~((share > 0) & (share <= 1))]
    if len(wrong):
        raise DesignError(
            f"{name} must lie above 0 and at most at 1 in every row; {len(wrong)} rows have others, such as "
            f"{wrong[0]:g}. A row that could not be drawn cannot be represented by those that were."
        )
