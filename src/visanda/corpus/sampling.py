"""Sample: draw what is coded by hand, each unit with a known probability."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from visanda import codebook as book
from visanda import codes
from visanda.codebook import Variable
from visanda.codebook import variable as asked_of
from visanda.corpus.exploring import Exploring
from visanda.corpus.handwork.assigned import check_together
from visanda.corpus.handwork.sample_rules import Drawn, Rules, draw_by
from visanda.corpus.handwork.sample_sheets import Dealing, deal_round, pairs_of_round, write_pairs, write_sheets
from visanda.corpus.handwork.sample_words import sample_result
from visanda.errors import InputError
from visanda.result import Result
from visanda.study.sampling.allocation import Allocate
from visanda.study.sampling.rounds import rounds_of
from visanda.study.sampling.unequal import FLOOR

WHOLE = "image"
PAIRS_A_UNIT = 2.5  # five comparisons a unit
SLIP = 0.8  # how alike two names are of which one is taken for a slip of the pen, 0 to 1
ROUNDS = "rounds"  # under which a stored sample says how each round was drawn


class Sampling(Exploring):
    """Code."""

    def population(self, where: str | None = None, on: str = WHOLE) -> pd.DataFrame:
        """The units that a study is about, with your columns: readable originals, not what was cut from them.

        Args:
            where: which, as a condition in SQL on the table media.
            on: the kind of unit: image, video, frame, shot, face, object, or a table's name.
        """
        self.require("media", "add pictures first, with 'visanda add FOLDER'")
        unread = ""
        if "embed" in self.tables():  # what could not be decoded cannot be coded or predicted
            unread = "id NOT IN (SELECT id FROM embed WHERE error IS NOT NULL)"
        if on == WHOLE:
            return self.frame(
                "SELECT * FROM media WHERE kind = 'image' AND error IS NULL AND parent IS NULL "
                f"AND ({where or 'true'}) AND ({unread or 'true'}) ORDER BY id"
            )
        units = self.join(on=on, where=where)
        units = units[units["error"].isna()]
        if unread:
            failed = set(self.frame("SELECT id FROM embed WHERE error IS NOT NULL")["id"])
            units = units[~units["id"].isin(failed)]
        return units.sort_values("id", ignore_index=True)

    def sample(
        self,
        variable: str,
        *,
        n: int,
        by: list[str] | None = None,
        allocate: Allocate = "proportional",
        cluster: str | None = None,
        per_cluster: int | None = None,
        favour: str | None = None,
        like: list[str] | None = None,
        favour_column: str | None = None,
        floor: float = FLOOR,
        more: bool = False,
        double: float | None = None,
        coders: list[str] | None = None,
        pairs: int | None = None,
        on: str | None = None,
        seed: int = 1,
        where: str | None = None,
        replace: bool = False,
    ) -> Result:
        """Draw units to code, each with a known probability, and write a sheet for each coder to fill in.

        Every unit of the population can be drawn, with a probability π that is stored in ``samples/``; estimates weigh
        by it, so that they speak of all, whatever was favoured (Särndal, Swensson & Wretman 1992; Tillé 2006).

        Args:
            variable: what will be coded; several, split by commas, are coded on the same sample, in one sheet.
            n: how many units; with whole clusters, and in further rounds, about so many.
            by: columns to stratify by, of any tables, split by commas. Numbers of many values are cut into quarters;
                ``brightness:3`` cuts into three.
            allocate: proportional to the strata; equal, the same number from each; neyman, more where values differ
                more (Neyman 1934), as predictions or codes so far say.
            cluster: draw whole clusters: units with the same value of this column, such as user, or parent for whole
                videos.
            per_cluster: draw only so many units of each cluster, and clusters in proportion to what they hold.
            favour: what to draw more often: ``uncertain``, where the machine is in doubt; or words, such as "burning
                car", as in 'visanda search'.
            like: draw more often what looks like these pictures, ids or files, split by commas.
            favour_column: draw in proportion to a column of numbers of 0 or more.
            floor: the share of the draw that is spread over all alike where some are favoured, above 0, up to 1.
            more: draw another round on top of the sample that is there, by rules of its own. Train and apply before,
                to draw what is then in doubt: active learning, with probabilities that stay known.
            double: the share of the sample that two coders code, 0 to 1; at 1, all coders code everything. In a
                further round as before.
            coders: names of coders, split by commas; each gets a sheet. In a further round as before.
            pairs: of a variable that is a pairwise comparison: how many pairs of these units to compare; five
                comparisons a unit by default.
            on: what is coded: image, video, frame, shot, face, object, or another table of units; by default what the
                codebook says.
            seed: the same seed draws the same units.
            where: which to draw from, as a condition in SQL on the table media; estimates will speak of these. In a
                further round as before.
            replace: throw away the sample that was drawn before.

        Raises:
            InputError: more units than there are, an unknown column, rules that do not go together, or a sample is
                there already.
        """
        names = listed(variable) or [variable]
        for name in names:
            self._check_variable(name)
            self._refuse_slip(name)
        asked = [asked_of(self.folder, name) for name in names]
        check_together(asked)
        first = asked[0]
        there = {} if replace else _there(self.folder, names)
        before = _before(names, there, more)
        last: dict[str, Any] = before.attrs.get(ROUNDS, [{}])[-1] if before is not None else {}
        rules = Rules(
            n=n,
            by=listed(by),
            allocate=allocate,
            cluster=cluster,
            per_cluster=per_cluster,
            favour=favour,
            like=listed(like),
            favour_column=favour_column,
            floor=floor,
            seed=seed,
            where=where or last.get("where"),
            on=on or last.get("on") or first.on,
        )
        given = Dealing(
            coders=listed(coders) or last.get("coders", []),
            double=last.get("double", 0.0) if double is None else double,
            pairs=_pairs(first, n, pairs),
        )
        arguments = rules.arguments() | given.arguments()
        self._refuse_repeat(names, before, arguments, last)
        population = self.population(rules.where, rules.on)
        drawn = draw_by(self, names[0], rules, population, before, first.scale == "interval", self._example)
        if before is not None:
            arguments["more"] = True
        return self._store(asked, drawn, given, rules, there, arguments)

    def _check_variable(self, variable: str) -> None:
        """A variable's predictions become a table of its name: that name must be free."""
        codes.check_name("variable", variable)
        ours = variable in codes.variables(self.folder) or (self.models / variable).is_dir()
        if variable in (*self.tables(), "codes") and not ours:
            raise InputError(f"{variable!r} is the name of a table already: give the variable another one")

    def _refuse_slip(self, variable: str) -> None:
        """A name that nobody gave yet, and that is nearly that of another variable."""
        known = {*codes.variables(self.folder), *book.read(self.folder)}
        close = get_close_matches(variable, known, n=1, cutoff=SLIP)
        if variable not in known and close:
            raise InputError(
                f"there is no variable {variable!r}: did you mean {close[0]!r}? If it is another one, define it first: "
                f'visanda codebook {variable} --values ... --define "..."'
            )

    def _refuse_repeat(
        self, names: list[str], before: pd.DataFrame | None, arguments: dict[str, Any], last: dict[str, Any]
    ) -> None:
        """The same round twice, before anybody coded the first, is a slip."""
        if before is None or {**arguments, "more": None} != {**last, "more": None}:
            return
        mine = set(before.loc[before["round"] == before["round"].max(), "id"])
        coded = {id for name in names if (self.folder / "codes" / name).exists() for id in self._coded(name)}
        if not mine & coded:
            raise InputError(
                f"the last round for {', '.join(names)} was drawn just like this, and nothing of it is coded yet: code "
                "it first, or draw another one with another --seed"
            )

    def _coded(self, variable: str) -> list[str]:
        return [str(id) for id in codes.gold_of(self.folder, variable).index]

    def _store(
        self,
        asked: list[Variable],
        drawn: Drawn,
        given: Dealing,
        rules: Rules,
        there: dict[str, pd.DataFrame],
        arguments: dict[str, Any],
    ) -> Result:
        """Keep the sample, and write its sheets."""
        number = len(rounds_of(drawn.design))
        design = deal_round(drawn.design, number, given, rules.seed)
        for name, old in there.items():
            if number == 1 and not _same(old, design):
                raise InputError(
                    f"a sample for {name!r} was drawn already ({(old['order'] > 0).sum()} units): codes belong to "
                    "it. Draw another round on top with --more, give this one another variable name, or throw that "
                    "one away with --replace"
                )
        names = [one.name for one in asked]
        earlier = there[names[0]].attrs.get(ROUNDS, []) if there and number > 1 else []
        design.attrs[ROUNDS] = [*earlier, arguments]
        rows = design[design["round"] == number]
        with self.record("sample", {"variable": ",".join(names), **arguments}) as run:
            if given.pairs:
                rows = pairs_of_round(design, number, given, rules.seed)
                write_pairs(self, names[0], rows, first=number == 1)
            for name in names:
                codes.write_design(self.folder, name, design)
            sheets = write_sheets(self, asked, rows, number, rules.seed, run.stem)
            run.counts = {"population": len(design), "drawn": int((design["round"] == number).sum())}
        warnings = drawn.warnings
        others = [] if number == 1 else _drawn_beside(self.folder, names, design)
        if others:
            warnings.append(
                f"earlier rounds were drawn for {', '.join(others)} too, and this one for {', '.join(names)} alone: an "
                f"estimate with both will use the common rounds only. To draw more for all: visanda sample "
                f"{','.join([*names, *others])} --more"
            )
        if rules.on not in (WHOLE, "video") and rules.cluster is None:
            warnings.append(
                "units inside files were drawn one by one. Those of one file are alike: give 'visanda estimate' "
                "--cluster parent, or its intervals are too narrow; with --cluster parent here, whole files are drawn"
            )
        return sample_result(names, design, sheets, drawn.said, warnings, arguments, given.pairs)


def listed(names: list[str] | str | None) -> list[str]:
    """Names that may be split by commas."""
    several = [names] if isinstance(names, str) else names or []
    return [name.strip() for text in several for name in str(text).split(",") if name.strip()]


def _there(folder: Path, names: list[str]) -> dict[str, pd.DataFrame]:
    """The samples that were drawn before."""
    found = {name: codes.read_design(folder, name) for name in names}
    return {name: design for name, design in found.items() if design is not None}


def _before(names: list[str], there: dict[str, pd.DataFrame], more: bool) -> pd.DataFrame | None:
    """The sample that a further round goes on."""
    if not more:
        return None
    if len(there) < len(names):
        missing = ", ".join(repr(name) for name in names if name not in there)
        raise InputError(
            f"no sample for {missing} is there to draw more on top of: draw the first round without --more (and "
            "without --replace)"
        )
    first, *others = there.values()
    columns = ["id", "pi", "order"]
    if not all(other[columns].equals(first[columns]) for other in others):
        raise InputError(f"{', '.join(names)} were coded on samples of their own: draw more for one at a time")
    return first


def _drawn_beside(folder: Path, names: list[str], design: pd.DataFrame) -> list[str]:
    """Other variables whose first round is the same as this design's."""
    first = rounds_of(design)[0]
    mine = design.loc[design["round"] == 1, "id"].tolist()
    found = []
    for name in codes.variables(folder):
        other = None if name in names else codes.read_design(folder, name)
        if other is not None and first in other and other.loc[other["round"] == 1, "id"].tolist() == mine:
            found.append(name)
    return found


def _pairs(asked: Variable, n: int, pairs: int | None) -> int:
    """How many pairs to compare; 0 where units are coded one by one."""
    if asked.scale != "pairwise":
        if pairs is not None:
            raise InputError(
                f"{asked.name!r} is no pairwise comparison: make it one with 'visanda codebook {asked.name} --scale "
                "pairwise'"
            )
        return 0
    most = n * (n - 1) // 2
    return min(most, round(PAIRS_A_UNIT * n)) if pairs is None else pairs


def _same(there: pd.DataFrame, design: pd.DataFrame) -> bool:
    """Whether a stored sample is this one; coders may be named later, and not be changed."""
    if there["id"].tolist() != design["id"].tolist() or (there["order"] != design["order"].to_numpy()).any():
        return False
    if len(rounds_of(there)) > 1 or not np.allclose(there["pi"], design["pi"]):
        return False
    named = there["coders"].fillna("") if "coders" in there else pd.Series("", index=there.index)
    return bool((named == "").all() or (named == design["coders"].to_numpy()).all())
