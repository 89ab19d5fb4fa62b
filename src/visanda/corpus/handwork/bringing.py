"""Bringing codes in: from what coders said to their files, with all that must be said of it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from visanda import codes
from visanda.codebook import Variable, undefined
from visanda.corpus.handwork.defining import said_of_version
from visanda.corpus.handwork.taking import Said, take, write_unmatched
from visanda.corpus.handwork.told import codes_result
from visanda.result import Result
from visanda.store import Store


def bring_all(
    store: Store,
    asked: Sequence[Variable],
    said: Sequence[Said],
    coder: str | None,
    recode: Sequence[str] = (),
    *,
    again: bool = False,
) -> Result:
    """Put codes of several variables into the coders' files; nothing is taken where one of them is wrong.

    Args:
        store: the corpus.
        asked: what was coded.
        said: what was read, of each.
        coder: as of :func:`bring`.
        recode: as of :func:`bring`.
        again: as of :func:`bring`.

    Raises:
        InputError: as :func:`bring`.
    """
    both = list(zip(asked, said, strict=True))
    for one, given in both:
        take(store, one, given, coder, recode)
    results = [bring(store, one, given, coder, recode, again=again) for one, given in both]
    if len(results) == 1:
        return results[0]
    table = pd.concat(
        [found.table.set_axis(["value", "count", *found.table.columns[2:]], axis=1) for found in results],
        keys=[one.name for one in asked],
        names=["variable", None],
    )
    return Result(
        f"Codes of {', '.join(one.name for one in asked)}",
        table.reset_index("variable").reset_index(drop=True),
        [text for found in results for text in found.words],
        list(dict.fromkeys(text for found in results for text in found.warnings)),
    )


def bring(
    store: Store, one: Variable, said: Said, coder: str | None, recode: Sequence[str] = (), *, again: bool = False
) -> Result:
    """Put codes into the coders' files.

    Args:
        store: the corpus.
        one: what was coded.
        said: what was read.
        coder: who coded; ``None``: as the source says.
        recode: values to put in place of others.
        again: also codes that stay the same, as given under the present codebook.

    Raises:
        InputError: as :func:`visanda.corpus.handwork.taking.take` raises it.
    """
    versions = said_of_version(store.folder, one)
    taken = take(store, one, said, coder, recode)
    coders = sorted(taken.codes["coder"].unique())
    for name in coders:
        codes.check_name("coder", name)
    with store.record("code", {"variable": one.name, "coder": coder, "recode": list(recode), "again": again}) as run:
        new = 0
        for name, given in taken.codes.groupby("coder", sort=True):
            new += codes.append(store.folder, one.name, str(name), given.drop(columns="coder"), again=again)
        run.counts = {"coded": len(taken.codes), "new": new, "unmatched": len(taken.unmatched)}
    lost = write_unmatched(store, one.name, coders, taken.unmatched)
    result = codes_result(store, one, taken, new, lost)
    result.words += [*said.words, *versions, *_hint_to_define(store, one.name, taken.codes["value"])]
    return result


def _hint_to_define(store: Store, name: str, values: pd.Series) -> list[str]:
    """That the variable is not in the codebook, and how it would come there."""
    if not undefined(store.folder, name):
        return []
    some = ",".join(values.value_counts().index[:6])
    return [f"{name!r} is not in the codebook and takes any value: visanda codebook {name} --values {some!r}"]
