"""Statistics on plain tables: draw what to code, check coders and machine, estimate honestly.

``draw`` a sample, ``reliability`` between coders, ``validity`` of a machine, ``estimate`` with the machine's
errors corrected; ``dsl`` and ``dsl_mean`` are the correction alone.
"""

from visanda.study.coefficients import Estimates
from visanda.study.correct import dsl, dsl_mean
from visanda.study.estimate import estimate
from visanda.study.regress import gold_only, naive, ordinary
from visanda.study.reliability import reliability
from visanda.study.sample import draw
from visanda.study.validity import validity

__all__ = [
    "Estimates",
    "draw",
    "dsl",
    "dsl_mean",
    "estimate",
    "gold_only",
    "naive",
    "ordinary",
    "reliability",
    "validity",
]
