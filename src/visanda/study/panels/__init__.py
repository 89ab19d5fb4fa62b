"""Panels: from pictures to articles, users and city-days; every unit at every time; lags by true distance in time."""

from visanda.study.panels.balancing import balanced
from visanda.study.panels.lagging import lags
from visanda.study.panels.units import units_of

__all__ = ["balanced", "lags", "units_of"]
