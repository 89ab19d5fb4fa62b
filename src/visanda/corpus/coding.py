"""Code: draw a sample with known probabilities, bring in what coders said, see whether they agree."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from cyclopts import Parameter

from visanda import codes
from visanda.collect.match import match
from visanda.collect.tables import read_table
from visanda.errors import InputError
from visanda.result import Result
from visanda.store import Store
from visanda.study.reliability import reliability
from visanda.study.sample import draw, strata


class Coding(Store):
    """Code."""

    def population(self, where: str | None = None) -> pd.DataFrame:
        """The pictures that a study is about: readable originals, not what was cut from them."""
        self.require("media", "add pictures first, with 'visanda add FOLDER'")
        unread = ""
        if "embed" in self.tables():  # what could not be decoded cannot be coded or predicted
            unread = " AND id NOT IN (SELECT id FROM embed WHERE error IS NOT NULL)"
        return self.frame(
            "SELECT * FROM media WHERE kind = 'image' AND error IS NULL AND parent IS NULL "
            f"AND ({where or 'true'}){unread} ORDER BY id"
        )

    def sample(
        self,
        variable: str,
        *,
        n: int,
        by: list[str] | None = None,
        allocate: Literal["proportional", "equal"] = "proportional",
        seed: int = 1,
        where: str | None = None,
        replace: bool = False,
    ) -> Result:
        """Draw pictures to code, each with a known probability, and write a sheet to fill in.

        Args:
            variable: what will be coded.
            n: how many pictures.
            by: columns of the table media to stratify by.
            allocate: proportional to the strata, or the same number from each.
            seed: the same seed draws the same pictures.
            where: which pictures to draw from, as a condition in SQL on the table media; estimates will speak of
                these.
            replace: throw away the sample that was drawn before.

        Raises:
            InputError: more pictures than there are, an unknown column, or a sample is there already.
        """
        self._check_variable(variable)
        by = [name.strip() for text in ([by] if isinstance(by, str) else by or []) for name in text.split(",")]
        arguments = {"variable": variable, "n": n, "by": by, "allocate": allocate, "seed": seed, "where": where}
        there = codes.read_design(self.folder, variable)
        population = self.population(where)
        drawn = draw(population, n, by=by, seed=seed, allocate=allocate)
        design = _design(population, by, drawn)
        if there is not None and not replace and not there.equals(design):
            raise InputError(
                f"a sample for {variable!r} was drawn already ({(there['order'] > 0).sum()} pictures): codes belong "
                "to it. Give this one another variable name, or throw that one away with --replace"
            )
        with self.record("sample", arguments) as run:
            codes.write_design(self.folder, variable, design)
            sheet = self._write_sheet(variable, drawn, run.stem)
            run.counts = {"population": len(population), "drawn": len(drawn)}
        return _sample_result(variable, drawn, len(population), sheet, arguments)

    def _check_variable(self, variable: str) -> None:
        """A variable's predictions become a table of its name: that name must be free."""
        codes.check_name("variable", variable)
        if variable in (*self.tables(), "codes") and variable not in codes.variables(self.folder):
            raise InputError(f"{variable!r} is the name of a table already: give the variable another one")

    def _write_sheet(self, variable: str, drawn: pd.DataFrame, stem: str) -> Path:
        """The sheet to fill in. One that is there may hold a coder's work: it stays, or is put aside."""
        path = self.results / f"{variable}-sheet.csv"
        if path.exists():
            there = read_table(path)
            if "id" in there and set(there["id"]) == set(drawn["id"]):
                return path
            path.rename(path.with_name(f"{variable}-sheet-until-{stem}.csv"))
        sheet = drawn.sort_values("order")[["order", "id"]]
        sheet = sheet.assign(path=sheet["id"].map(self.paths(sheet["id"].tolist())), value="", note="")
        path.parent.mkdir(exist_ok=True)
        sheet.to_csv(path, index=False)
        return path

    def code(
        self,
        variable: str,
        *,
        import_: Annotated[Path | pd.DataFrame, Parameter(name="--import")],
        coder: str,
        key: str | None = None,
        value: str | None = None,
    ) -> Result:
        """Take a coder's codes from a table; once more with the same table changes nothing.

        Args:
            variable: what was coded.
            import_: the table: a row a picture, with its id (or file name) and the value given.
            coder: who coded; ``gold`` for who settles disagreements, whose word counts.
            key: the column that names the picture; ``id`` or ``filename`` by default.
            value: the column of values; ``value`` or the variable's name by default.

        Raises:
            InputError: a column is not there, a picture repeats, or nothing matches.
        """
        self._check_variable(variable)
        frame = import_ if isinstance(import_, pd.DataFrame) else read_table(import_)
        key = key or next((name for name in ("id", "filename") if name in frame), "id")
        value = value or next((name for name in (variable, "value") if name in frame), "value")
        if value not in frame:
            raise InputError(f"the table has no column {value!r}; its columns are: {', '.join(map(str, frame))}")
        self.require("media", "add pictures first, with 'visanda add FOLDER'")
        ids = self.query("SELECT id FROM media")["id"].to_pylist()
        matched = match(frame, key, ids)
        if not matched.rows:
            raise InputError(f"no row names a picture of this corpus, as {matched.unmatched[0]!r} does not")
        given = pd.DataFrame({"id": list(matched.rows)})
        given["value"] = [_text(frame[value].iloc[row]) for row in matched.rows.values()]
        if "note" in frame:
            given["note"] = [_text(frame["note"].iloc[row]) for row in matched.rows.values()]
        coded = given[given["value"] != ""]
        arguments = {"variable": variable, "coder": coder, "key": key, "value": value}
        with self.record("code", arguments) as run:
            new = codes.append(self.folder, variable, coder, coded)
            run.counts = {"coded": len(coded), "new": new, "unmatched": len(matched.unmatched)}
        return self._code_result(variable, coder, given, new, matched.unmatched)

    def _code_result(self, variable: str, coder: str, given: pd.DataFrame, new: int, unmatched: list[str]) -> Result:
        coded = given[given["value"] != ""]
        table = coded["value"].value_counts().rename_axis("value").rename("pictures").reset_index()
        words = [f"{len(coded)} codes of {variable} by {coder}, {new} of them new or changed."]
        warnings = _typos(variable, codes.variables(self.folder), coded["value"])
        if len(given) > len(coded):
            words.append(f"{len(given) - len(coded)} rows have no value and are not counted as coded.")
        if unmatched:
            warnings.append(f"{len(unmatched)} rows name no picture of this corpus, such as {unmatched[0]!r}")
        design = codes.read_design(self.folder, variable)
        if design is None:
            warnings.append(
                "no sample was drawn for this variable: without known probabilities, an estimate can only assume "
                "that the coded pictures are a simple random sample"
            )
        else:
            outside = set(coded["id"]) - set(design.loc[design["order"] > 0, "id"])
            if outside:
                warnings.append(
                    f"{len(outside)} coded pictures are not in the sample: they train the classifier, but do not "
                    "enter estimates"
                )
        return Result(f"Codes of {variable}", table, words, warnings)

    def reliability(self, variable: str) -> Result:
        """Who coded how much, and how far coders agree.

        Args:
            variable: what was coded.
        """
        return reliability(codes.independent(codes.read(self.folder, variable)))


def _typos(variable: str, variables: list[str], values: pd.Series) -> list[str]:
    """What looks like a slip: a new variable named almost like another, values that differ in case only."""
    warnings = []
    close = [name for name in get_close_matches(variable, variables, n=2, cutoff=0.8) if name != variable]
    if close:
        warnings.append(f"there is also a variable {close[0]!r}: if {variable!r} is a slip, delete codes/{variable}")
    folded = values.drop_duplicates().groupby(values.str.casefold()).agg(list)
    warnings += [f"{' and '.join(map(repr, one))} differ in case only" for one in folded if len(one) > 1]
    return warnings


def _text(value: object) -> str:
    """A code as text: 1.0 from a spreadsheet is the code 1."""
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _design(population: pd.DataFrame, by: list[str], drawn: pd.DataFrame) -> pd.DataFrame:
    """Every picture of the population with its stratum, its probability, and its place in the order of coding."""
    stratum = strata(population, by)
    probability = drawn.drop_duplicates("stratum").set_index("stratum")["pi"]
    order = drawn.set_index("id")["order"].reindex(population["id"]).fillna(0).astype(int)
    return pd.DataFrame(
        {
            "id": population["id"].to_numpy(),
            "stratum": stratum.to_numpy(),
            "pi": stratum.map(probability).to_numpy(),
            "order": order.to_numpy(),
        }
    )


def _sample_result(
    variable: str, drawn: pd.DataFrame, population: int, sheet: Path, arguments: dict[str, object]
) -> Result:
    groups = drawn.groupby("stratum", sort=True)
    table = groups.agg(pictures=("n_stratum", "first"), drawn=("id", "size"), pi=("pi", "first")).reset_index()
    words = [
        f"{len(drawn)} of {population:,} pictures were drawn at random, each with a known probability.",
        f"Fill in the column 'value' of {sheet}, one copy a coder; then",
        f"visanda code {variable} --import results/{sheet.name} --coder NAME",
    ]
    return Result(f"Sample for {variable}", table, words, provenance=dict(arguments))
