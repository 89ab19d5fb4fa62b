"""What people said, as a copy has it: the codebook and its versions, codes, samples, pairs."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa

from visanda import codebook as book
from visanda import codes
from visanda.codebook import PAIR, SPLIT, Variable
from visanda.corpus.handwork.names import Names
from visanda.corpus.handwork.sample_sheets import pairs_path
from visanda.corpus.sampling import ROUNDS
from visanda.corpus.share.disclosure import UNKNOWN, tells_names
from visanda.corpus.share.writing import Removed, Writing
from visanda.store import Store

FREE = 30  # values of a coded variable beyond which they look like free text
NUMBERS = re.compile(r"pi(_\d+)?|order|round")  # columns of a sample that go as they are


def variables(store: Store) -> list[str]:
    """All variables: coded, sampled for, or in the codebook only."""
    return sorted({*codes.variables(store.folder), *book.read(store.folder)})


def coders_of(store: Store) -> list[str]:
    """Everybody who coded, or was dealt something to code; who settles disagreements is no person."""
    found = {path.stem for path in store.folder.glob("codes/*/*.csv")}
    for name in codes.variables(store.folder):
        design = codes.read_design(store.folder, name)
        if design is not None and "coders" in design:
            found |= {coder for given in design["coders"].dropna().unique() for coder in given.split(SPLIT)}
        if (pairs := pairs_path(store, name)).exists():
            given = pd.read_csv(pairs, dtype=str, keep_default_na=False)["coders"]
            found |= {coder for names in given.unique() for coder in names.split(SPLIT)}
    return sorted(found - {codes.GOLD, ""})


def may_share(to: Writing, variable: str) -> bool:
    """Whether the codes of a variable look like categories or numbers; free text may name people."""
    home = to.store.folder
    if variable in to.wanted.keep or not any((home / "codes" / variable).glob("*.csv")):
        return True
    if book.variable(home, variable).scale in ("interval", "pairwise"):
        return True
    values = codes.read(home, variable)["value"]
    free = values.nunique() > FREE or (len(values) > FREE and values.nunique() > len(values) / 2)
    free = free or tells_names(pa.chunked_array([pa.array(values.astype(str), pa.string())]), frozenset())
    if free:
        why = f"{values.nunique():,} values look like free text; {UNKNOWN}"
        to.removed.append(Removed(f"variable {variable}", len(values), why))
    return not free


def write_codebook(to: Writing, shared: Iterable[str], files: Iterable[str]) -> None:
    """Write the codebook of the variables that are shared, and the versions that codes were given under."""
    home, shared = to.store.folder, set(shared)
    named = {name: to.pseudonyms.unit(id) for id in files for name in (id, id.rsplit("/", 1)[-1])}

    def plain(one: Variable) -> Variable:
        return _without_names(to, one, named)

    defined = [plain(one) for name, one in book.read(home).items() if name in shared]
    if defined:
        to.text(book.FILE, book.as_toml(defined))
    for name in sorted(shared):
        for one in book.versions(home, name):
            to.text(f"codes/{name}/codebook-{one.version}.toml", book.as_toml([plain(one)]))


def _without_names(to: Writing, one: Variable, named: Mapping[str, str]) -> Variable:
    """A variable whose examples and words name pictures by their pseudonyms."""
    given = [name for names in one.examples.values() for name in names]
    ids = Names(to.store, one).find([[name] for name in given])[0] if given else []
    known = {name: to.pseudonyms.pair(id) for name, id in zip(given, ids, strict=True) if id is not None}
    if lost := len(given) - len(ids) + ids.count(None):
        to.removed.append(Removed(f"examples of {one.name}, version {one.version}", lost, "name nothing here"))
    examples = {value: tuple(known[name] for name in names if name in known) for value, names in one.examples.items()}

    def words(text: str) -> str:
        for name in [name for name in named if name in text]:
            text = text.replace(name, named[name])
        return text

    return replace(
        one,
        definition=words(one.definition),
        meanings={value: words(text) for value, text in one.meanings.items()},
        prompts={value: tuple(map(words, texts)) for value, texts in one.prompts.items()},
        examples={value: names for value, names in examples.items() if names},
    )


def write_codes(to: Writing, variable: str) -> None:
    """Write each coder's codes, without times and notes."""
    for path in sorted((to.store.folder / "codes" / variable).glob("*.csv")):
        said, coder = codes.read_coder(path), to.coder(path.stem)
        if notes := int((said["note"] != "").sum()):
            to.removed.append(Removed(f"notes of {variable} by {coder}", notes, "free text"))
        ids = said["id"].map(to.pseudonyms.pair)
        said = said.assign(id=ids, variable=variable, coder=coder, time="", note="")
        text = said[codes.FIELDS].sort_values("id", kind="stable").to_csv(index=False, lineterminator="\n")
        to.text(f"codes/{variable}/{coder}.csv", text)


def write_sample(to: Writing, variable: str) -> None:
    """Write the sample of a variable, strata as numbers; and the pairs that were drawn."""
    design = codes.read_design(to.store.folder, variable)
    if design is None:
        return
    shared = pd.DataFrame({"id": design["id"].map(to.pseudonyms.unit)})
    strata = {name: f"stratum_{i}" for i, name in enumerate(design["stratum"].value_counts().index, 1)}
    shared["stratum"] = design["stratum"].map(strata)
    for name in (str(name) for name in design if NUMBERS.fullmatch(str(name))):
        shared[name] = design[name]
    if "cluster" in design:
        shared["cluster"] = _each(design["cluster"], lambda name: to.pseudonyms.value("cluster", name))
    if "coders" in design:
        shared["coders"] = _each(design["coders"], lambda names: _coders(to, names))
    shared = shared.sort_values("id", kind="stable", ignore_index=True)
    shared.attrs[ROUNDS] = [to.arguments(one) for one in design.attrs.get(ROUNDS, [])]
    buffer = io.BytesIO()
    shared.to_parquet(buffer, index=False)
    to.bytes(f"samples/{variable}.parquet", buffer.getvalue())
    if (pairs := pairs_path(to.store, variable)).exists():
        _write_pairs(to, pairs)


def _write_pairs(to: Writing, path: Path) -> None:
    pairs = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in ("left", "right"):
        pairs[name] = pairs[name].map(to.pseudonyms.unit)
    pairs["id"] = pairs["left"] + PAIR + pairs["right"]
    pairs["coders"] = [_coders(to, names) for names in pairs["coders"]]
    pairs = pairs[["id", "left", "right", "order", "round", "coders"]].sort_values("id", kind="stable")
    to.text(f"samples/{path.name}", pairs.to_csv(index=False, lineterminator="\n"))


def _coders(to: Writing, names: str) -> str:
    """Coders as a sample has them, such as ``c1|c2``."""
    return SPLIT.join(to.coder(name) for name in names.split(SPLIT) if name)


def _each(column: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """A column of text with each value changed; missing values stay missing."""
    return pd.Series([None if pd.isna(one) else change(str(one)) for one in column], column.index, dtype="string")
