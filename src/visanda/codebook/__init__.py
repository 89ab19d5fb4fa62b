"""The codebook: what each variable means, which values it has, and how that changed.

``codebook.toml`` in the corpus has a table a variable; people edit it by hand or with ``visanda codebook``. What
coders were asked when they coded is kept: each version of a variable that codes were given under stands in
``codes/<variable>/codebook-<version>.toml``.
"""

from visanda.codebook.file import FILE, as_toml, changes, define, pin, read, take, undefined, variable, versions
from visanda.codebook.values import NO, YES, fit, fitted, recoded
from visanda.codebook.variable import (
    LEFT,
    NONE,
    PAIR,
    RIGHT,
    SCALES,
    SPLIT,
    TIE,
    Scale,
    Variable,
    check_name,
    checked,
    column_name,
)

__all__ = [
    "FILE",
    "LEFT",
    "NO",
    "NONE",
    "PAIR",
    "RIGHT",
    "SCALES",
    "SPLIT",
    "TIE",
    "YES",
    "Scale",
    "Variable",
    "as_toml",
    "changes",
    "check_name",
    "checked",
    "column_name",
    "define",
    "fit",
    "fitted",
    "pin",
    "read",
    "recoded",
    "take",
    "undefined",
    "variable",
    "versions",
]
