"""Figure of coefficients: several models in one plot, a line a term, a colour and a marker a model."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from visanda.errors import InputError
from visanda.study.output.fitted_model import FittedModel, Models, fitted_models
from visanda.study.output.regression_table import chosen, in_order
from visanda.study.wording import in_focus

# Okabe & Ito's colours, told apart by colour-blind readers; markers tell them apart in grey.
PALETTE = ("#0072B2", "#D55E00", "#7F7F7F", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# a method has the same colour in every figure
FAMILIAR = {"naive": "#D55E00", "gold": "#7F7F7F", "corrected": "#0072B2", "truth": "#009E73"}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
SPREAD = 0.62  # of the distance between two terms, that the models of one term take
LABEL, TITLE = 34, 85  # characters of a line of a label and of a title
LINE = 0.21  # inches a term and model


def coefficients_figure(
    models: Models,
    *,
    title: str = "",
    scale: str = "Coefficient",
    rename: Mapping[str, str] | None = None,
    terms: Sequence[str] | None = None,
    methods: Sequence[str] | None = None,
) -> Figure:
    """Draw the coefficients of several models with their 95 % intervals, on one axis.

    Terms on very different scales (an age in years beside a share) are hard to see together: standardise them first,
    or draw them apart with ``terms``.

    Args:
        models: as in :func:`visanda.study.output.regression_table.regression_table`; up to 8 columns.
        title: above the figure.
        scale: what the coefficients measure, below it.
        rename: labels of terms.
        terms: labels or terms to show, from above to below; None: all but the constant.
        methods: which methods of a Result to show, by the beginning of their names.

    Raises:
        InputError: as in ``regression_table``; more than 8 columns.

    Example:
        >>> import pandas as pd
        >>> fit = pd.DataFrame({"term": ["Intercept", "x"], "estimate": [0.1, 0.5], "se": [0.05, 0.1]})
        >>> figure = coefficients_figure({"(1)": fit, "(2)": fit.assign(se=0.2)})
        >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
        ['x']
    """
    columns = fitted_models(models, methods, rename)
    if len(columns) > len(PALETTE):
        raise InputError(f"{len(columns)} models in one figure: at most {len(PALETTE)} can be told apart")
    every = in_order([list(column.lines.index) for column in columns])
    shown = in_focus(every) if terms is None else chosen(terms, every, rename or {})
    lines = max((folded(term).count("\n") + 1 for term in shown), default=1)
    height = 1.2 + len(shown) * max(0.22 + LINE * len(columns), 0.18 * lines)
    figure = Figure(figsize=(7.2, max(2.0, height)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    for place, (column, colour) in enumerate(zip(columns, colours([column.method for column in columns]), strict=True)):
        aside = SPREAD * ((place + 0.5) / len(columns) - 0.5)
        _draw(axes, column, shown, aside, colour, MARKERS[place])
    axes.set_yticks(np.arange(len(shown)), [folded(term) for term in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    for between in range(1, len(shown)):
        axes.axhline(between - 0.5, color="0.92", linewidth=0.8, zorder=0)
    axes.set_xlabel(f"{scale}, with 95 % intervals", fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.suptitle(folded(title, TITLE), fontsize=11, x=0.01, ha="left")
    if len(columns) > 1:
        figure.legend(loc="outside lower left", frameon=False, fontsize=9, ncols=3)
    return figure


def folded(text: str, width: int = LABEL) -> str:
    """``text`` in lines of up to ``width`` characters, so that the figure has room beside it."""
    return textwrap.fill(text, width)


def colours(methods: Sequence[str]) -> list[str]:
    """A colour for each of up to 8 ``methods``: its own where it is familiar and not taken yet, else a free one."""
    found: list[str] = []
    for method in methods:
        own = next((colour for start, colour in FAMILIAR.items() if method.startswith(start)), "")
        reserved = {colour for start, colour in FAMILIAR.items() if any(name.startswith(start) for name in methods)}
        free = [colour for colour in PALETTE if colour not in found]
        others = [colour for colour in free if colour not in reserved]
        found.append(own if own in free else (others or free)[0])
    return found


def _draw(axes: Axes, column: FittedModel, shown: list[str], aside: float, colour: str, marker: str) -> None:
    lines = column.lines.reindex(shown)
    known = lines["estimate"].notna().to_numpy()
    height = np.arange(len(shown))[known] + aside
    lines = lines[known]
    axes.hlines(height, lines["low"], lines["high"], color=colour, linewidth=2)
    axes.plot(lines["estimate"], height, marker, color=colour, markersize=6, label=column.head)
