"""Association: whether embeddings put pictures of one group nearer to an attribute than those of another (iEAT)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain, combinations
from math import comb

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from visanda.errors import DesignError, InputError
from visanda.result import Result
from visanda.study.audit.plot import COLOURS
from visanda.study.wording import SIGNIFICANT, p_value

Array = NDArray[np.float64]

BLOCK = 4096  # permutations at a time
FEW = 8  # pictures of a set, below which a test can hardly tell anything


def association(
    x: Array,
    y: Array,
    a: Array,
    b: Array,
    *,
    names: tuple[str, str, str, str] = ("X", "Y", "A", "B"),
    permutations: int = 10_000,
    seed: int = 1,
) -> Result:
    """The image embedding association test: are pictures of X nearer to A than to B, compared with those of Y?

    After the word embedding association test (Caliskan, Bryson & Narayanan 2017), for pictures by Steed & Caliskan
    (2021). It speaks of the embedding and of these pictures: other pictures of the same words give other numbers, and
    no effect in a few pictures is no proof that there is none.

    Args:
        x: (n, d) embeddings of pictures of one group.
        y: (m, d) of another.
        a: (k, d) of one attribute, such as career.
        b: (l, d) of its opposite, such as family.
        names: of the four sets, for words and figure.
        permutations: random divisions of X and Y to compare with; all of them where there are no more.
        seed: of these.

    Returns:
        A Result with one row: d, the difference of mean associations of X and Y in standard deviations of all, −2 to 2
        where X and Y are of one size; p, the share of divisions of X and Y into sets of these sizes that have a
        difference as large or larger (one-sided, as published); p_two_sided, of either sign; divisions; exact.
        ``extra["pictures"]`` has the association of each picture, mean cosine to A less to B, −2 to 2.

    Raises:
        InputError: arrays of different lengths of vectors, or with numbers that are missing or vectors of length 0.
        DesignError: fewer than two pictures in X or Y, none in A or B, or all associations alike.

    Example:
        >>> towards_a, towards_b = np.array([[1.0, 0.1], [1.0, 0.2]]), np.array([[0.1, 1.0], [0.2, 1.0]])
        >>> association(towards_a, towards_b, np.eye(2)[:1], np.eye(2)[1:]).table.round(2)[["d", "p"]].values.tolist()
        [[1.73, 0.17]]
    """
    sets = {name: np.asarray(one, dtype=float) for name, one in zip(names, (x, y, a, b), strict=True)}
    _check(sets)
    ours, theirs, one, other = (_unit(part) for part in sets.values())
    both = np.concatenate([ours, theirs])
    near = (both @ one.T).mean(axis=1) - (both @ other.T).mean(axis=1)
    spread = float(near.std(ddof=1))
    if spread < 1e-12:
        raise DesignError("every picture of X and Y is associated alike: there is nothing to compare")
    n = len(ours)
    apart = float(near[:n].mean() - near[n:].mean())
    drawn, exact = _divided(near, n, permutations, seed)
    p, p_two = (_p(one, exact) for one in (drawn >= apart - 1e-12, np.abs(drawn) >= abs(apart) - 1e-12))
    table = pd.DataFrame(
        {"x": [names[0]], "y": [names[1]], "a": [names[2]], "b": [names[3]], "d": apart / spread, "p": p}
        | {"p_two_sided": p_two, "difference": apart, "n_x": n, "n_y": len(theirs), "n_a": len(one), "n_b": len(other)}
        | {"divisions": len(drawn), "exact": exact}
    )
    pictures = pd.DataFrame({"set": [names[0]] * n + [names[1]] * len(theirs), "association": near})
    few = [f"{name} ({len(part)})" for name, part in sets.items() if len(part) < FEW]
    return Result(
        title=f"Association of {names[0]} and {names[1]} with {names[2]} and {names[3]}",
        table=table,
        words=[_words(names, apart / spread, p, p_two, exact)],
        warnings=[f"Fewer than {FEW} pictures of: {', '.join(few)}. Other pictures may tell another story."]
        if few
        else [],
        draw=partial(association_plot, pictures, names),
        provenance={"permutations": permutations, "seed": seed, "exact": exact},
        extra={"pictures": pictures},
    )


def _check(sets: dict[str, Array]) -> None:
    if len(sets) < 4:
        raise InputError("give the four sets four different names")
    for name, one in sets.items():
        if one.ndim != 2 or one.shape[1] != next(iter(sets.values())).shape[-1]:
            shapes = ", ".join(str(part.shape) for part in sets.values())
            raise InputError(f"embeddings of shapes {shapes}: give each set as rows of vectors of one model")
        if not np.isfinite(one).all() or not np.linalg.norm(one, axis=1).all():
            raise InputError(f"{name} holds vectors with missing numbers, or of length 0: leave these pictures out")
    for (name, one), least in zip(sets.items(), (2, 2, 1, 1), strict=True):
        if len(one) < least:
            raise DesignError(
                f"{name} has {len(one)} pictures; at least {least} are needed, and 20 or more to tell much"
            )


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _divided(near: Array, n: int, permutations: int, seed: int) -> tuple[Array, bool]:
    """Differences of means in divisions of pictures into n and the rest; and whether these are all there are."""
    total, m = near.sum(), len(near) - n
    exact = comb(len(near), n) <= permutations
    sums = np.concatenate([near[block].sum(axis=1) for block in _chosen(len(near), n, permutations, seed, exact)])
    return np.asarray(sums / n - (total - sums) / m), exact


def _chosen(size: int, n: int, permutations: int, seed: int, exact: bool) -> Iterator[NDArray[np.intp]]:
    """(some divisions, n) places of those that are taken for X."""
    if exact:
        places = np.fromiter(chain.from_iterable(combinations(range(size), n)), dtype=np.intp)
        yield places.reshape(-1, n)
        return
    random = np.random.default_rng(seed)
    for begin in range(0, permutations, BLOCK):
        yield random.random((min(BLOCK, permutations - begin), size)).argsort(axis=1)[:, :n]


def _p(as_far: NDArray[np.bool_], exact: bool) -> float:
    """Of all divisions, their share; of random ones, with the division that was seen (Phipson & Smyth 2010)."""
    return float(as_far.mean()) if exact else float((1 + as_far.sum()) / (1 + len(as_far)))


def _words(names: tuple[str, str, str, str], d: float, p: float, p_two: float, exact: bool) -> str:
    one, other, nearer, further = names if d >= 0 else (names[0], names[1], names[3], names[2])
    of = "of all divisions" if exact else "of random divisions"
    return (
        f"Compared with {other}, pictures of {one} are nearer to {nearer} than to {further}: d = {d:.2f}, "
        f"{p_value(p)} one-sided, {p_value(p_two)} two-sided ({of} of the pictures into two such sets; Steed & "
        f"Caliskan 2021){'' if p_two < SIGNIFICANT else '. That may be chance'}."
    )


def association_plot(pictures: pd.DataFrame, names: tuple[str, str, str, str]) -> Figure:
    """Draw each picture's association, and the mean of either set."""
    figure = Figure(figsize=(6.4, 2.6), layout="constrained")
    axes = figure.subplots()
    random = np.random.default_rng(1)
    for place, name in enumerate(names[:2]):
        values = pictures.loc[pictures["set"] == name, "association"]
        axes.scatter(values, place + random.uniform(-0.18, 0.18, len(values)), s=16, alpha=0.6, color=COLOURS[place])
        axes.plot([values.mean()] * 2, [place - 0.32, place + 0.32], color="0.15", linewidth=1.6)
    axes.axvline(0, color="0.8", linewidth=1, zorder=0)
    axes.set_yticks([0, 1], [f"{name} (n = {(pictures['set'] == name).sum()})" for name in names[:2]])
    axes.set_ylim(1.5, -0.5)
    axes.set_xlabel(f"nearer to {names[3]}  ←  mean cosine  →  nearer to {names[2]}")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
