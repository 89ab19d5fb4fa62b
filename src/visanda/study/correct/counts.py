"""Adjusted counts: shares of classes, corrected by the error rates of the machine that counted them.

Rogan & Gladen (1978), "Estimating prevalence from the results of a screening test", American Journal of Epidemiology
107(1); for several classes Buonaccorsi (2010), chapter 2. Of the shares q that a machine finds, the true ones are
p = M⁻¹ q, M being what it says of each true class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.columns import require_columns
from visanda.study.correct.coded import CodedRows, coded_rows
from visanda.study.correct.counts_shown import counts_plot, counts_warnings, counts_words, rates_said
from visanda.study.correct.error_rates import (
    ErrorRates,
    class_names,
    equal_error_rates,
    error_rates,
    refuse_inseparable,
)
from visanda.study.regression.moments import sandwich
from visanda.study.sampling.sample import strata
from visanda.study.time.joined import listed
from visanda.study.wording import FEW_CLUSTERS

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]

Z95 = 1.959963984540054
FEWEST_OF_ALL = 2  # classes
MADE = ("class", "n", "n_coded", "naive", "adjusted", "low", "high", "gold", "se", "clipped")


@dataclass(frozen=True)
class _Counted:
    """N rows: their stratum, what the machine says, what people said, as numbers."""

    stratum: Numbers
    said: Numbers
    true: Numbers  # -1 where not coded
    weight: Array  # 0 where not coded
    cluster: Numbers | None
    classes: tuple[str, ...]


def adjusted_shares(
    data: pd.DataFrame,
    variable: str,
    label: str,
    *,
    by: str | Sequence[str] | None = None,
    sample_prob: str | None = None,
    cluster: str | None = None,
    errors: Literal["strata", "pooled"] = "strata",
) -> Result:
    """Estimate the share of each class, as a whole or by stratum, undoing the machine's errors.

    Valid where the coded rows of each true class are a random sample of that class's rows, whatever the mix of classes
    among them; or, with ``sample_prob``, a sample of known probabilities. Error rates are estimated in each stratum by
    itself, and it is tested whether they differ; pooled, they are taken to be the same in all.

    Standard errors come from the influence of each row on p = M⁻¹ q: the delta method, with the sampling of the rows
    that q counts and the multinomial sampling of the rows that M rests on. Since coded rows are among those counted,
    they are a little smaller than those of Rogan & Gladen, whose validation sample is another one: where all rows are
    coded, they are those of the hand codes.

    Args:
        data: a row a unit. Rows that miss the label or a column of ``by`` are left out and counted.
        variable: column coded by hand: numbers, booleans or text; missing where nobody coded.
        label: column with the machine's class of each row, in the same words as the codes.
        by: column or columns whose combinations are strata.
        sample_prob: column with the known probability, in (0, 1], that a row was drawn for coding; ``"equal"``: a
            simple random sample was coded; None: within each true class all were as likely.
        cluster: column of units that go together (an account, a video), for standard errors.
        errors: ``"strata"``: error rates of each stratum; ``"pooled"``: of all, where they do not differ.

    Returns:
        A Result with a row a stratum and class: the columns of ``by``, class, n, n_coded; the share by the machine's
        labels (naive, naive_low, naive_high); adjusted, se, low, high (95 %), and clipped, whether adjusted had to be
        moved into 0-1; the share by the weighted hand codes alone (gold, gold_low, gold_high; missing where a stratum
        has none). ``extra["error rates"]`` holds what the machine says of each true class, ``extra["equal errors"]``
        the test, by true class and for all.

    Raises:
        InputError: a column that is not there.
        DesignError: fewer than 10 codes, a class never coded, a machine that does not tell the classes apart, rows of a
            stratum that lie in one cluster.

    Example:
        >>> draw = np.random.default_rng(1)
        >>> true = draw.random(2000) < 0.2
        >>> said = np.where(draw.random(2000) < 0.85, true, ~true)
        >>> data = pd.DataFrame({"protest": np.where(np.arange(2000) < 500, true, np.nan), "said": said})
        >>> found = adjusted_shares(data, "protest", "said").table.set_index("class").loc["1"]
        >>> print(f"{found['naive']:.2f}, adjusted {found['adjusted']:.2f} ({found['low']:.2f}-{found['high']:.2f})")
        0.29, adjusted 0.21 (0.17-0.25)
    """
    if errors not in ("strata", "pooled"):
        raise InputError(f"errors={errors!r}: choose strata or pooled")
    columns = [by] if isinstance(by, str) else list(by or [])
    require_columns(data, [variable, label, *columns])
    if clash := [name for name in columns if name in MADE]:
        raise InputError(f"the result has a column {clash[0]!r} of its own: rename that of the table")
    rows = coded_rows(data, f"`{variable}` ~ 1", [variable], [label, *columns], sample_prob, cluster)
    names = rows.data[columns].drop_duplicates().sort_values(columns) if columns else pd.DataFrame(index=[0])
    titles = strata(names, columns).tolist() if columns else [""]
    counted = _counted(rows, variable, label, columns, titles)
    if cluster is not None:
        _refuse_one_cluster(counted, titles, errors, cluster)
    rates, refused = _rates(counted, titles, errors)
    places = [place for place, title in enumerate(titles) if title in rates]
    table = pd.concat(
        [_stratum(counted, place, rates[titles[place]], errors == "pooled") for place in places], keys=places
    )
    names = names.astype({name: data[name].dtype for name in columns})  # years are whole numbers again
    strata_of = names.iloc[table.index.get_level_values(0)].reset_index(drop=True)
    table = pd.concat([strata_of, table.reset_index(drop=True)], axis=1)
    tested, each = _tested(counted, titles)
    used = {"": rates[titles[0]]} if errors == "pooled" else rates
    warnings = refused + counts_warnings(table, columns, used, tested, errors, sample_prob)
    if rows.cluster is not None and (few := len(set(rows.cluster[rows.coded]))) < FEW_CLUSTERS:
        warnings.append(f"Coded rows lie in only {few} clusters: clustered standard errors are too small.")
    return Result(
        title=f"Shares of {variable}: by the machine, adjusted for its errors, by hand codes alone",
        table=table,
        words=[*counts_words(variable, table, columns, rows, tested, errors), rates_said(each, variable)],
        warnings=warnings,
        draw=partial(counts_plot, table, columns, variable),
        provenance={
            "variable": variable,
            "label": label,
            "by": columns,
            "sample_prob": sample_prob,
            "cluster": cluster,
            "errors": errors,
            "n": rows.n,
            "n_coded": rows.n_coded,
            "n_dropped": rows.n_dropped,
        },
        extra={"error rates": each, "equal errors": tested},
    )


def _counted(rows: CodedRows, variable: str, label: str, columns: list[str], titles: list[str]) -> _Counted:
    hand, machine = (class_names(rows.data[name]) for name in (variable, label))
    said, true = set(machine), set(hand[rows.coded])
    if said.isdisjoint(true):
        raise InputError(
            f"{variable!r} holds {_some(true)} and {label!r} {_some(said)}: no class in common. Recode one of them."
        )
    if len(said | true) < FEWEST_OF_ALL:
        raise DesignError(f"there is one class only ({_some(true)}): nothing to adjust")
    classes = tuple(sorted(said | true))
    number = {name: place for place, name in enumerate(classes)}
    places = {title: place for place, title in enumerate(titles)}
    return _Counted(
        np.asarray(strata(rows.data, columns).map(places) if columns else np.zeros(rows.n), dtype=np.intp),
        machine.map(number).to_numpy(dtype=np.intp),
        np.where(rows.coded, hand.map(number), -1).astype(np.intp),
        rows.weight,
        rows.cluster,
        classes,
    )


def _refuse_one_cluster(counted: _Counted, titles: list[str], errors: str, cluster: str) -> None:
    """DesignError where rows that are counted, or coded, lie in one cluster, whose spread nobody can see."""
    assert counted.cluster is not None
    coded = counted.true >= 0
    for place, title in enumerate(titles):
        mine = counted.stratum == place
        where = f" in {title}" if title else ""
        own = coded if errors == "pooled" else coded & mine
        for rows, what in ((mine, "rows"), (own, "coded rows")):
            if rows.any() and len(set(counted.cluster[rows])) == 1:
                raise DesignError(
                    f"all {what}{where} lie in one cluster of {cluster!r}: how much clusters differ cannot be seen "
                    "from one, and the standard error would be 0. Group by something that several clusters share, code "
                    "rows of more clusters, or, if rows are independent, leave out the cluster."
                )


def _rates(counted: _Counted, titles: list[str], errors: str) -> tuple[dict[str, ErrorRates], list[str]]:
    """The error rates that each stratum is adjusted by; and what to say of strata that have none."""
    if errors == "pooled" or len(titles) == 1:
        whole = _rates_of(counted, counted.true >= 0)
        refuse_inseparable(whole)
        return dict.fromkeys(titles, whole), []
    found: dict[str, ErrorRates] = {}
    reasons: dict[str, str] = {}
    for place, title in enumerate(titles):
        try:
            one = _rates_of(counted, (counted.true >= 0) & (counted.stratum == place), f" in {title}")
            refuse_inseparable(one, f" in {title}")
        except DesignError as error:
            reasons[title] = str(error)
        else:
            found[title] = one
    if not reasons:
        return found, []
    others = list(reasons)[1:]
    said = f"{reasons[next(iter(reasons))]}{f' (It is similar in {listed(others)}.)' if others else ''}"
    said += (
        " Or merge strata; or, if error rates are the same everywhere, take them from all strata together "
        "(errors='pooled')."
    )
    if not found:
        raise DesignError(said)
    return found, [f"No adjusted shares of {listed(list(reasons))}: {said}"]


def _rates_of(counted: _Counted, coded: NDArray[np.bool_], where: str = "") -> ErrorRates:
    return error_rates(counted.true[coded], counted.said[coded], counted.weight[coded], counted.classes, where)


def _stratum(counted: _Counted, place: int, rates: ErrorRates, pooled: bool) -> pd.DataFrame:
    """A row a class of one stratum."""
    mine, coded = counted.stratum == place, counted.true >= 0
    taken = np.flatnonzero(mine | coded if pooled else mine)
    cluster = None if counted.cluster is None else counted.cluster[taken]
    one, member = np.eye(len(counted.classes)), mine[taken] / mine[taken].mean()
    said, weight = one[counted.said[taken]], counted.weight[taken]
    true = one[counted.true[taken]] * (weight > 0)[:, None]
    naive, naive_variance = _mean(said, member, cluster)
    share, variance = _adjust(said, true, weight, member, rates.matrix, cluster)
    found = pd.DataFrame({"class": counted.classes, "n": int(mine.sum()), "n_coded": int((mine & coded).sum())})
    found[["naive", "naive_low", "naive_high"]] = _wilson(naive, naive_variance, float(mine.sum()))
    clipped = np.clip(share, 0, 1)
    found["adjusted"], found["se"] = clipped / clipped.sum(), np.sqrt(variance)
    found["low"] = np.minimum(np.clip(share - Z95 * found["se"], 0, 1), found["adjusted"])
    found["high"] = np.maximum(np.clip(share + Z95 * found["se"], 0, 1), found["adjusted"])
    found["clipped"] = bool((share < 0).any())
    if len(share) == 2 and (naive <= 0).any():  # labels that are all the same show no variance; Wilson's interval does
        reach = float(found.loc[naive <= 0, "naive_high"].iloc[0]) / abs(float(np.linalg.det(rates.matrix)))
        found["low"] = np.minimum(found["low"], np.clip(share - reach, 0, 1))
        found["high"] = np.maximum(found["high"], np.clip(share + reach, 0, 1))
    drawn = weight * mine[taken]
    if drawn.any():
        gold, gold_variance = _mean(true, drawn / drawn.mean(), cluster)
        found[["gold", "gold_low", "gold_high"]] = _wilson(gold, gold_variance, drawn.sum() ** 2 / (drawn**2).sum())
    else:
        found[["gold", "gold_low", "gold_high"]] = np.nan
    return found[list(MADE) + [name for name in found if name not in MADE]]


def _mean(values: Array, weight: Array, cluster: Numbers | None) -> tuple[Array, Array]:
    """(v,) weighted means of the (n, v) values and their variances; weights are 1 on average."""
    mean = (weight[:, None] * values).mean(axis=0)
    return mean, np.diag(sandwich(weight[:, None] * (values - mean), cluster)).copy()


def _adjust(
    said: Array, true: Array, weight: Array, member: Array, matrix: Array, cluster: Numbers | None
) -> tuple[Array, Array]:
    """(v,) adjusted shares, perhaps outside 0-1, and their variances.

    Args:
        said: (n, v) 1 for the class that the machine says.
        true: (n, v) 1 for the class that people gave; all 0 where not coded.
        weight: (n,) of coded rows in the error rates.
        member: (n,) of rows in the share, 1 on average.
        matrix: (v, v) error rates.
        cluster: (n,) or None.
    """
    naive = (member[:, None] * said).mean(axis=0)
    back = np.linalg.inv(matrix)
    share = back @ naive
    per_class = weight @ true / len(true)  # weighted rows of each true class, a row
    off = (weight * (true @ (share / per_class)))[:, None] * (said - true @ matrix.T)
    influences = (member[:, None] * (said - naive) - off) @ back.T
    return share, np.diag(sandwich(influences, cluster)).copy()


def _wilson(share: Array, variance: Array, n: float) -> Array:
    """(v, 3) shares and their 95 % intervals (Wilson 1927), on the number of rows that their variance amounts to.

    ``n`` rows where a share of 0 or 1 has no variance.
    """
    plain = share * (1 - share)
    rows = np.where(variance > 1e-15, plain / np.maximum(variance, 1e-15), n)
    middle, below = share + Z95**2 / (2 * rows), 1 + Z95**2 / rows
    half = Z95 * np.sqrt(plain / rows + Z95**2 / (4 * rows**2))
    low, high = np.maximum((middle - half) / below, 0), np.minimum((middle + half) / below, 1)
    low, high = np.where(share <= 0, 0.0, low), np.where(share >= 1, 1.0, high)  # whatever rounding leaves
    return np.stack([share, low, high], axis=1)


def _tested(counted: _Counted, titles: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whether error rates differ between strata, over the classes that are coded in each; and the rates themselves."""
    coded, v = counted.true >= 0, len(counted.classes)
    found = {"all": _rates_of(counted, coded)}
    for place, title in enumerate(titles if len(titles) > 1 else []):
        mine = coded & (counted.stratum == place)
        if (np.bincount(counted.true[mine], minlength=v) > 0).all():
            found[title] = _rates_of(counted, mine)
    each = pd.concat([one.frame().assign(stratum=title) for title, one in found.items()], ignore_index=True)
    apart = {title: one for title, one in found.items() if title != "all"}
    tested = equal_error_rates(apart or {"all": found["all"]})
    return tested, each[["stratum", "true", "said", "rows", "share"]]


def _some(values: set[str]) -> str:
    return ", ".join(sorted(map(repr, values))[:6])
