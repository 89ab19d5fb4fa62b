"""The examples in the docstrings of study/ run."""

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("module", ["correct", "estimate", "reliability", "sample", "validity"])
def test_examples(module):
    failed, tried = doctest.testmod(import_module(f"visanda.study.{module}"))
    assert tried > 0 and failed == 0
