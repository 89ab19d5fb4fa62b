"""The names of ``import visanda as vi``: all there are, each loaded when it is first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import visanda
from visanda import measures
from visanda.measure import registered


def test_every_measure_of_ours_is_a_public_name():
    ours = {one.name for one in registered() if one.implementation.__module__.startswith("visanda.measures.")}
    assert ours == set(measures.__all__) <= set(visanda.__all__)


@pytest.mark.parametrize("name", measures.__all__)
def test_a_measure_is_found_under_its_name(name: str):
    assert getattr(visanda, name) is getattr(measures, name)


def test_importing_visanda_loads_nothing_else():
    code = "import sys, visanda; print(*(name for name in sys.modules if name.startswith(('visanda.', 'numpy'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match=r"visanda has no 'color'; its public names are: .*colour"):
        visanda.color  # noqa: B018
