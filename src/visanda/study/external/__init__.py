"""Validity from outside: agreement with other sources, groups known to differ, the same pictures once more."""

from visanda.study.external.agreeing import agrees
from visanda.study.external.known_groups import known_groups
from visanda.study.external.retesting import retest

__all__ = ["agrees", "known_groups", "retest"]
