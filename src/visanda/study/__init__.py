"""Statistics on plain tables: draw what to code, check coders and machine, estimate honestly.

``draw`` a sample, ``reliability`` between coders, ``bradley_terry`` scores of what was compared in pairs; ``validity``
of a machine, also in ``subgroups``, against another (``compare``) and against what one coder reaches (``ceiling``);
``conformal_threshold``, ``conformal_sets`` and ``conformal_width`` for sets that hold the truth as often as promised;
``drift_of_pictures`` between what was coded and the rest; ``estimate`` with the machine's errors corrected; ``dsl`` and
``dsl_mean`` are the correction alone. ``during`` and ``around`` join tables by time; ``bins``, ``aggregate`` and
``panel`` average them.
"""

from visanda.study.accepted import accepted
from visanda.study.bradley_terry import bradley_terry
from visanda.study.ceiling import ceiling
from visanda.study.clock import on_clock
from visanda.study.regression.coefficients import Estimates
from visanda.study.comparing import compare
from visanda.study.conformal import conformal_sets, conformal_threshold, conformal_width
from visanda.study.correct.dsl import dsl, dsl_mean
from visanda.study.correct.gold import gold_only
from visanda.study.drift_of_pictures import drift_of_pictures
from visanda.study.estimating.estimate import estimate
from visanda.study.intervals import around, during
from visanda.study.joined import Joined
from visanda.study.panel import aggregate, bins, panel
from visanda.study.regression.ordinary import naive, ordinary
from visanda.study.reliability import reliability
from visanda.study.sample import draw
from visanda.study.shots import shot_statistics
from visanda.study.sound import silences
from visanda.study.subgroups import subgroups
from visanda.study.validity import validity

__all__ = [
    "Estimates",
    "Joined",
    "accepted",
    "aggregate",
    "around",
    "bins",
    "bradley_terry",
    "ceiling",
    "compare",
    "conformal_sets",
    "conformal_threshold",
    "conformal_width",
    "draw",
    "drift_of_pictures",
    "dsl",
    "dsl_mean",
    "during",
    "estimate",
    "gold_only",
    "naive",
    "on_clock",
    "ordinary",
    "panel",
    "reliability",
    "shot_statistics",
    "silences",
    "subgroups",
    "validity",
]
