"""Figures of coefficients and of shares, read back from what was drawn."""

import numpy as np
import pandas as pd
import pytest
from two_models import BOTH, CORRECTED, NAIVE, fitted

from visanda.errors import InputError
from visanda.result import Result
from visanda.study.output.coefficients_figure import PALETTE, coefficients_figure, colours
from visanda.study.output.shares_figure import shares_figure


def test_the_figure_shows_every_estimate_and_interval():
    figure = coefficients_figure(BOTH, title="Posts", scale="Log odds", terms=["x", "C(genre)[T.news & more]"][:1])
    axes = figure.axes[0]
    points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() in "os"]
    assert points == [-0.0894, 0.499]
    ends = [collection.get_segments()[0][:, 0] for collection in axes.collections]
    assert ends[1] == pytest.approx(CORRECTED.frame().loc[1, ["low", "high"]].to_numpy(float))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["(1) naive", "(2) corrected"]


def test_the_figure_leaves_out_the_constant_and_refuses_too_many():
    labels = [text.get_text() for text in coefficients_figure(BOTH).axes[0].get_yticklabels()]
    assert labels == ["x", "log(likes_1)", "genre: news & more"]
    with pytest.raises(InputError, match="at most 8"):
        coefficients_figure({str(place): NAIVE for place in range(9)})


def test_a_method_keeps_its_colour():
    naive, gold, corrected, truth = colours(["naive", "gold only", "corrected (PPI++)", "truth"])
    assert colours(["corrected (DSL)", "naive"]) == [corrected, naive]
    assert colours(["", "corrected (DSL)"])[0] != corrected
    assert len(set(colours(["naive", "corrected", "naive", "corrected", "", "x", "truth", "gold"]))) == len(PALETTE)
    assert len({naive, gold, corrected, truth}) == 4


def test_shares_of_named_groups_and_over_time():
    table = pd.DataFrame({"group": ["tv", "web"], "estimate": [0.2, 0.4], "low": [0.1, 0.3], "high": [0.3, 0.5]})
    axes = shares_figure(table, label="Protest").axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["tv", "web"]
    assert list(axes.lines[0].get_xdata()) == [0.2, 0.4]
    years = pd.DataFrame({"year": [2021, 2020], "estimate": [0.3, 0.1], "se": 0.01, "method": "naive"})
    axes = shares_figure(Result("", years), group="year").axes[0]
    assert list(axes.lines[0].get_xdata()) == [2020, 2021] and list(axes.lines[0].get_ydata()) == [0.1, 0.3]
    months = years.assign(year=pd.to_datetime(["2021-02-01", "2021-01-01"]))
    assert list(shares_figure(months, group="year").axes[0].lines[0].get_ydata()) == [0.1, 0.3]


def test_months_as_text_stand_on_a_line_and_a_share_without_interval_is_a_point():
    months = pd.DataFrame({"group": ["2024-01", "2024-03", "2024-02"], "estimate": [0.2, 0.4, -0.05], "se": 0.1})
    axes = shares_figure(months).axes[0]
    assert list(axes.lines[0].get_ydata()) == [0.2, -0.05, 0.4] and not axes.get_title().startswith("2024")
    unsure = shares_figure(months.assign(group=["tv", "web", "radio"], se=[0.1, np.nan, 0.1])).axes[0]
    assert list(unsure.lines[0].get_xdata()) == [0.2, 0.4, -0.05]
    assert sum(len(segment) > 0 for segment in unsure.collections[0].get_segments()) == 2
    gone = shares_figure(months.assign(group=["tv", "web", "radio"], estimate=[0.1, np.nan, 0.2])).axes[0]
    assert [text.get_text() for text in gone.get_yticklabels()] == ["tv", "radio"]


def test_long_names_are_folded_and_leave_room_for_the_figure():
    name = "An outlet whose name is longer than any figure has room for beside its points"
    figure = coefficients_figure({"m": fitted([f"outlet[T.{name}]"], [1], [1])}, title=f"{name} {name}")
    label = figure.axes[0].get_yticklabels()[0].get_text()
    assert label.count("\n") >= 2 and label.replace("\n", " ") == f"outlet: {name}"
    assert "\n" in figure.get_suptitle()
    figure.draw_without_rendering()
    assert figure.axes[0].get_position().width > 0.45
    shares = shares_figure(pd.DataFrame({"group": [name], "estimate": [0.2], "se": [0.1]}))
    shares.draw_without_rendering()
    assert shares.axes[0].get_position().width > 0.45


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"estimate": [20.0, 40.0]}, "divide per cents by 100"),
        ({"group": ["tv", "tv"]}, "tv stands there twice"),
        ({"group": ["tv", None]}, "rows without 'group'"),
        ({"estimate": [np.nan, np.nan]}, "no share is known"),
    ],
)
def test_shares_that_do_not_fit_are_refused(change, message):
    table = pd.DataFrame({"group": ["tv", "web"], "estimate": [0.2, 0.4], "se": [0.1, 0.1]}).assign(**change)
    with pytest.raises(InputError, match=message):
        shares_figure(table)
