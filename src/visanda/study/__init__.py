"""Statistics on plain tables: draw what to code, check coders and machine, estimate honestly, write it up.

``draw`` a sample, ``budget`` codes (``codes_for_share``, ``codes_for_accuracy`` and ``double_coding`` before there are
any); ``reliability`` between coders, ``bradley_terry`` scores of what was compared in pairs; ``validity`` of a machine,
also in ``subgroups``, against another (``compare``) and against what one coder reaches (``ceiling``); ``bias`` between
groups, its ``consequence``, who is in a ``collection``, and ``association`` in embeddings; whether a measure ``agrees``
with another source, tells ``known_groups`` apart and stays the same (``retest``); ``conformal_threshold``,
``conformal_sets`` and ``conformal_width`` for sets that hold the truth as often as promised; ``drift_of_pictures``
between what was coded and the rest.

``estimate`` a mean or a regression with the machine's errors corrected, beside what they would have done to it;
``shares_by`` group. The corrections alone: ``dsl``, ``dsl_mean``, ``dsl_margins``; ``ppi``; ``debias`` for any model;
``adjusted_shares``; ``likelihood``; ``simex`` as a sensitivity analysis. ``ordinary``, ``negbin``, ``ordinal``,
``mixed``, ``fepois`` and ``bootstrap`` take a table as true; ``adjusted`` corrects for many tests, ``standardised``
puts coefficients on one scale. ``regression_table``, ``coefficients_figure``, ``shares_figure``, ``methods_text`` and
``replication`` are for the paper.

``during`` and ``around`` join tables by time; ``bins``, ``aggregate`` and ``panel`` average them; ``units_of`` makes
articles and days of pictures, ``balanced`` fills gaps, ``lags`` looks back.
"""

from visanda.study.bias.association import association
from visanda.study.bias.collection import collection
from visanda.study.bias.consequence import consequence
from visanda.study.bias.error_rates import bias
from visanda.study.correct.counts import adjusted_shares
from visanda.study.correct.debias import debias
from visanda.study.correct.dsl import dsl, dsl_mean
from visanda.study.correct.gold import gold_only
from visanda.study.correct.likelihood import likelihood
from visanda.study.correct.margins import dsl_margins, ordinary_margins
from visanda.study.correct.ppi import ppi
from visanda.study.correct.simex import simex
from visanda.study.drift.coders import drift
from visanda.study.drift.pictures import drift_of_pictures
from visanda.study.estimating.estimate import estimate
from visanda.study.external import agrees, known_groups, retest
from visanda.study.output.coefficients_figure import coefficients_figure
from visanda.study.output.methods_text import methods_text
from visanda.study.output.regression_table import RegressionTable, regression_table
from visanda.study.output.replication import replication
from visanda.study.output.shares_figure import shares_figure
from visanda.study.pairwise.bradley_terry import bradley_terry
from visanda.study.panels import balanced, lags, units_of
from visanda.study.planning.ahead import codes_for_accuracy, codes_for_share, double_coding
from visanda.study.planning.budget import budget
from visanda.study.regression.bootstrap import bootstrap
from visanda.study.regression.coefficients import Estimates
from visanda.study.regression.every import REGRESSIONS
from visanda.study.regression.fixed import fepois
from visanda.study.regression.mixed import mixed
from visanda.study.regression.multiple import adjusted, standardised
from visanda.study.regression.negbin import negbin
from visanda.study.regression.ordinal import ordinal
from visanda.study.regression.ordinary import naive, ordinary
from visanda.study.reliability.between_coders import reliability
from visanda.study.reliability.needed_codes import needed, units_for_alpha
from visanda.study.sampling.sample import draw
from visanda.study.shares.by_group import shares_by
from visanda.study.thresholds.conformal import conformal_sets, conformal_threshold, conformal_width
from visanda.study.time.accepted import accepted
from visanda.study.time.clock import on_clock
from visanda.study.time.intervals import around, during
from visanda.study.time.joined import Joined
from visanda.study.time.panel import aggregate, bins, panel
from visanda.study.time.shots import shot_statistics
from visanda.study.time.sound import silences
from visanda.study.validity.against_gold import validity
from visanda.study.validity.ceiling import ceiling
from visanda.study.validity.comparing import compare
from visanda.study.validity.subgroups import subgroups

__all__ = [
    "REGRESSIONS",
    "Estimates",
    "Joined",
    "RegressionTable",
    "accepted",
    "adjusted",
    "adjusted_shares",
    "aggregate",
    "agrees",
    "around",
    "association",
    "balanced",
    "bias",
    "bins",
    "bootstrap",
    "bradley_terry",
    "budget",
    "ceiling",
    "codes_for_accuracy",
    "codes_for_share",
    "coefficients_figure",
    "collection",
    "compare",
    "conformal_sets",
    "conformal_threshold",
    "conformal_width",
    "consequence",
    "debias",
    "double_coding",
    "draw",
    "drift",
    "drift_of_pictures",
    "dsl",
    "dsl_margins",
    "dsl_mean",
    "during",
    "estimate",
    "fepois",
    "gold_only",
    "known_groups",
    "lags",
    "likelihood",
    "methods_text",
    "mixed",
    "naive",
    "needed",
    "negbin",
    "on_clock",
    "ordinal",
    "ordinary",
    "ordinary_margins",
    "panel",
    "ppi",
    "regression_table",
    "reliability",
    "replication",
    "retest",
    "shares_by",
    "shares_figure",
    "shot_statistics",
    "silences",
    "simex",
    "standardised",
    "subgroups",
    "units_for_alpha",
    "units_of",
    "validity",
]
