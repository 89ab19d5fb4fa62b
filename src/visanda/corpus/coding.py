"""Code: say what is asked, bring in what coders said, see whether they agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from visanda import codebook as book
from visanda import codes
from visanda.codebook import Scale
from visanda.corpus.handwork import defining
from visanda.corpus.handwork.assigned import check_together, write_coders_sheet
from visanda.corpus.handwork.bringing import bring_all
from visanda.corpus.handwork.disagreements import disagreements, write_disagreements
from visanda.corpus.handwork.imports import from_column, read_said
from visanda.corpus.handwork.printed import write_printed
from visanda.corpus.handwork.reliability_details import details_of
from visanda.corpus.sampling import Sampling, listed
from visanda.errors import InputError
from visanda.result import Result
from visanda.study.drift.coders import drift
from visanda.study.reliability.between_coders import reliability
from visanda.study.reliability.needed_codes import WIDTH
from visanda.units import Unit, parse

SHOWN = ("Agreement by value", "Agreement by coder", "Drift of coders")  # the others are files in results/


class Coding(Sampling):
    """Code."""

    def codebook(
        self,
        variable: str | None = None,
        *,
        values: list[str] | None = None,
        definition: Annotated[str | None, Parameter(name="--define")] = None,
        scale: Scale | None = None,
        low: float | None = None,
        high: float | None = None,
        on: str | None = None,
        meaning: list[str] | None = None,
        prompt: list[str] | None = None,
        example: list[str] | None = None,
        from_: Annotated[Path | None, Parameter(name="--from")] = None,
    ) -> Result:
        """Say what coders are asked, or look it up: visanda codebook protest --values yes,no --define "...".

        Everything stands in ``codebook.toml``, which may be edited by hand, and in ``results/codebook.html``, to print
        for coders. A change after coding has begun makes a new version, and each code records the version it was given
        under.

        Args:
            variable: which; all that are defined, by default.
            values: allowed ones, in order, with commas between them; "" for none.
            definition: what is asked, in words.
            scale: nominal (one of the values), ordinal (values in order), interval (a number), multilabel (any of the
                values), pairwise (which of two pictures has more of it).
            low: lower end of an interval scale.
            high: upper end of an interval scale.
            on: what is coded: image, frame, shot, face, object, or a table of units inside files.
            meaning: what a value means, as "yes=people march"; once a value. "yes=" takes it out, here and below.
            prompt: phrases by which models that know words look for a value, as "yes=a protest;a crowd with signs".
            example: pictures with which coders are trained, as "yes=a.jpg;b.jpg"; of "not yes", what looks like it and
                is not; of borderline, cases in doubt.
            from_: another codebook.toml, whose variables are taken over.

        Raises:
            InputError: an unknown variable or scale, values that cannot be told apart, or ends that are none.
        """
        options = {"values": values, "definition": definition, "scale": scale, "low": low, "high": high, "on": on}
        options |= {"meaning": meaning, "prompt": prompt, "example": example}
        given = {name: value for name, value in options.items() if value is not None}
        words: list[str] = []
        if from_ is not None:
            with self.record("codebook", {"from": str(from_)}):
                words.append(f"Taken from {from_}: {', '.join(book.take(self.folder, from_.expanduser()))}.")
        if given:
            if variable is None:
                raise InputError("which variable? Name it first: visanda codebook protest --values yes,no")
            self._check_variable(variable)
            with self.record("codebook", {"variable": variable, **given}):
                book.define(self.folder, defining.redefined(book.variable(self.folder, variable), options))
        defined = book.read(self.folder)
        if variable is not None and variable not in defined:
            there = ", ".join(defined) or "none yet"
            raise InputError(f"{variable!r} is not in the codebook ({there}): define it with --values or --scale")
        shown = [one for name, one in defined.items() if variable in (None, name)]
        words += [text for one in shown for text in defining.said_of_version(self.folder, one)]
        warnings = [text for one in shown for text in defining.warned_of(self, one)]
        if not defined:
            words.append('Nothing is defined yet: visanda codebook protest --values yes,no --define "..."')
        else:
            page = write_printed(self, defined.values(), self.results / "codebook.html")
            words.append(f"To print for coders: {page}; to edit by hand: {self.folder / book.FILE}")
        if variable is None:
            return Result("Codebook", defining.as_table(shown, self.folder), words, warnings)
        one = defined[variable]
        first = f"{one.definition or 'No definition yet.'} ({one.scale}, each {one.on}, version {one.version})"
        return Result(f"Codebook: {variable}", defining.as_values(one, self.folder), [first, *words], warnings)

    def code(
        self,
        variable: str,
        *,
        coder: str | None = None,
        import_: Annotated[Path | pd.DataFrame | None, Parameter(name="--import")] = None,
        sheet: Path | None = None,
        column: str | None = None,
        key: str | None = None,
        value: str | None = None,
        recode: list[str] | None = None,
        again: bool = False,
    ) -> Result:
        """Take in what a coder said; once more with the same table changes nothing. Or write a sheet to fill in.

        Values are checked against the codebook: other spellings are taken as its own, and where a value is unknown
        nothing is taken and all such values are listed.

        Args:
            variable: what was coded; several, split by commas, from one sheet with a column for each.
            coder: who coded; ``gold`` for who settles disagreements, whose word counts. In an export of Label Studio,
                the annotators by default.
            import_: a table (csv, tsv, xlsx, parquet, jsonl) with a row a picture; an export of Label Studio (json);
                or a folder with a folder a value, also inside of train, test and validation.
            sheet: a spreadsheet (.xlsx, with the pictures in it) or a table (.csv) to write: the coder's pictures of
                the sample in their order, with what this coder said already.
            column: a column of the table media that holds codes, such as a category from a metadata table.
            key: the column that names the picture; ``id`` or ``filename`` by default.
            value: the column of values; ``value`` or the variable's name by default. Of several labels, a column of 0
                and 1 each will do. In Label Studio, the name of the control.
            recode: values to put in place of others, as "Yep=yes,nope=no"; "illegible=" leaves those out.
            again: these codes were given anew under the present codebook, also those that stay the same.

        Raises:
            InputError: a column is not there, nothing matches, a value is unknown, or one coder gave a picture two.
        """
        names = listed(variable) or [variable]
        for name in names:
            self._check_variable(name)
        self.require("media", "add pictures first, with 'visanda add FOLDER'")
        if sum(one is not None for one in (import_, sheet, column)) != 1:
            raise InputError(
                f"where are the codes? visanda code {variable} --import FILE --coder c1; or --column NAME, where a "
                "column of the table media has them; or --sheet FILE.xlsx to write a sheet to fill in"
            )
        asked = [book.variable(self.folder, name) for name in names]
        check_together(asked)
        if sheet is not None:
            if coder is None:
                raise InputError("whose sheet? Give the coder's name: --coder c1")
            pairs = asked[0].scale == "pairwise"
            everything = pd.DataFrame({"id": []}) if pairs else self.population(on=asked[0].on)
            return write_coders_sheet(self, asked, coder, sheet.expanduser(), everything)
        if len(asked) > 1 and (column or value):
            raise InputError("name one variable where you name its column: columns of several bear their names")
        if column is not None:
            said = [from_column(self, column)]
        else:
            assert import_ is not None
            said = [read_said(self, one, import_, key, value) for one in asked]
        return bring_all(self, asked, said, coder, recode or [], again=again)

    def reliability(self, variable: str, *, apart: float | None = None, width: float = WIDTH) -> Result:
        """How far coders agree: overall, by value, by coder, and as coding went on; disagreements as pictures.

        Units of one file (frames, faces) are resampled together.

        Args:
            variable: what was coded.
            apart: of an interval scale, how far two codes must lie apart to be shown as a disagreement; more than a
                tenth of the scale by default.
            width: half of the interval of alpha that you hope for; how many units have to be coded twice is said.

        Raises:
            InputError: nobody has coded it.
        """
        one = book.variable(self.folder, variable)
        said = codes.given(self.folder, one)
        blind = codes.independent(said)
        pairs = one.scale == "pairwise"
        files = None if pairs else {id: Unit(parse(id).name).id for id in said["id"].unique()}
        order = one.answers or None
        result = reliability(blind, scale=one.scale, order=order, width=width, groups=files)
        found = disagreements(said, one, apart)
        result.warnings += defining.warned_of_unfit(self.folder, variable)
        result.words += defining.said_of_versions(blind)
        details = details_of(result)
        if result.extra.keys() > {"by coder"}:
            every = codes.independent(codes.tidied(one, codes.every_code(self.folder, variable)))
            details.append(drift(every, scale=one.scale, order=order))
        with self.record("reliability", {"variable": variable, "apart": apart, "width": width}):
            result.save(self.results, f"{variable}-reliability")
            for detail in details:
                detail.save(self.results, f"{variable}-reliability-{detail.title.lower().replace(' ', '-')}")
            result.also += [one for one in details if one.title in SHOWN]
            if len(found):
                stem = f"{variable}-disagreements"
                written = write_disagreements(self, found, stem, f"{variable}: where coders disagree")
                result.words.append(f"Coders disagree on {len(found):,} units: see {written[0]} and {written[1]}")
        return result
