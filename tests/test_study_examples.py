"""The examples in the docstrings of study/ run."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import visanda.study

ROOT = Path(visanda.study.__file__).parent
MODULES = [
    ".".join(path.relative_to(ROOT.parent.parent).with_suffix("").parts)
    for path in sorted(ROOT.rglob("*.py"))
    if ">>>" in path.read_text("utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_examples(module):
    failed, tried = doctest.testmod(import_module(module))
    assert tried > 0 and failed == 0
