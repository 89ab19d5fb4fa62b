"""Given: what somebody handed in, in the words of a message that says what is wanted instead."""

from __future__ import annotations

import pandas as pd

from visanda.result import Result


def called(what: object) -> str:
    """``a table``, ``a Result``, ``a list``: what ``what`` is, for people."""
    if isinstance(what, pd.DataFrame):
        return "a table"
    if isinstance(what, Result):
        return "a Result"
    name = type(what).__name__
    names = {"NoneType": "None", "str": f"the text {what!r}", "Estimates": "Estimates", "dict": "a dict"}
    return names.get(name, f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}")
