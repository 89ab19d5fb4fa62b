"""Audit: what a machine says of faces and pictures against what people say of the same ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from visanda.codes import independent, variables
from visanda.corpus.audit.audited import Audited, audited
from visanda.corpus.audit.grouping import clusters, grouping
from visanda.corpus.audit.handcodes import HandCodes, hand_codes
from visanda.corpus.audit.held_against import held_against
from visanda.corpus.audit.trained_here import TrainedHere, trained_here
from visanda.corpus.audit.unequal import unequal_errors
from visanda.corpus.formats import write_table
from visanda.errors import InputError, MediaError
from visanda.learn.frozen import look
from visanda.media import Detail, contact_sheet, load, resize, save
from visanda.media.image import Image, ImageLike
from visanda.result import Result
from visanda.store import Store
from visanda.study.audit.by_group import audit
from visanda.study.bias.intersections import columns_of
from visanda.study.reliability.between_coders import reliability
from visanda.study.sampling.sample import draw

MARGIN = 0.4  # of a face's box, around it: coders see hair and chin
LONGEST = 800  # pixels of the longer side of the pictures that are written for coders,
SHORTEST = 300  # and to which small faces are enlarged
SKIN = ("ita", "monk_tone")  # columns of the measure skin_tone
SHEET = 60  # pictures on a contact sheet
_EITHER = (
    "compare with hand codes, as in audit {0} --codes codes.csv, or draw faces to code first, as in audit {0} --sample "
    "200 --out to-code.csv"
)


class Auditing(Store):
    """Audit."""

    def audit(
        self,
        machine: str,
        *,
        codes: list[str] | pd.DataFrame | None = None,
        column: str | None = None,
        by: list[str] | None = None,
        cluster: str | None = None,
        sample: int | None = None,
        allocate: Literal["proportional", "equal"] = "proportional",
        seed: int = 1,
        where: str | None = None,
        assume_random: bool = False,
        out: Path | None = None,
    ) -> Result:
        """How far a machine's values agree with hand codes, and for whom less; or first a sample to code by hand.

        Perceived gender, age and expression are weak out of sample, and their errors differ by group: check them on
        faces of your own. ``visanda audit gender --sample 200 --out faces.csv`` writes faces to code, without what the
        machine says of them; ``visanda audit gender --codes faces.csv`` compares.

        Args:
            machine: gender, age, expression, another table with one column of values, or table.column such as
                objects_by_picture.n_people; or a variable that a classifier was trained for here, or one of its values
                (kind_fish): coded pictures are then judged by predictions that had not seen their codes.
            codes: tables with the hand codes, a row a face or picture (id; or filename, for the picture's only or
                largest face), one table a coder; or the name of a coded variable. By default, the variable of the
                machine's name, or the sheet that --sample wrote. Where coders differ, most of them
                count, and of numbers their mean; empty cells are not coded. A column ``pi``, in any of the tables, is
                the probability of the draw.
            column: the column of codes: value, or one named like the machine's column or one of its classes (as
                woman, with yes and no, or 1 and 0), by default.
            by: groups to compare, also in which errors they differ: columns of the hand codes, of media, or of another
                table of the same units, as perceived_age or faces.yaw. "age*outlet" compares both and their
                intersections, "*" those of every pair.
            cluster: a column whose units are alike (account, video): intervals and tests are then those of a sample of
                whole clusters. By default the file, where several coded units lie in one, as faces do.
            sample: draw so many to code.
            allocate: of a sample: proportional to the machine's classes, or the same number from each.
            seed: of a sample: the same seed draws the same.
            where: of which pictures, as a condition in SQL on the table media.
            assume_random: the coded units are a simple random sample of all, though no sample was drawn here.
            out: the sheet to write for a sample; ``results/<machine>-to-code.csv`` by default. Pictures are put into
                a folder of that name.

        Raises:
            InputError: the machine has no such table or column; neither or both of codes and sample; the codes name
                nothing here or share no class with the machine; a sheet of that name is there already.
        """
        if codes is not None and sample is not None:
            raise InputError(_EITHER.format(machine))
        said = trained_here(self, machine, where) or audited(self, machine, where)
        if sample is not None:
            if isinstance(said, TrainedHere):
                raise InputError(f"pictures to code are drawn by 'visanda sample {said.table} --n {sample}'")
            return self._audit_sample(said, sample, allocate, seed, where, out)
        codes = codes if codes is not None else self._usual_codes(said)
        return self._audit_codes(said, codes, column, _listed(by), cluster, where, assume_random)

    # a sample to code

    def _audit_sample(
        self,
        said: Audited,
        n: int,
        allocate: Literal["proportional", "equal"],
        seed: int,
        where: str | None,
        out: Path | None,
    ) -> Result:
        path = Path(out).expanduser() if out else self.results / f"{said.name}-to-code.csv"
        folder = path.with_suffix("")
        for there in (path, folder):
            if there.exists():
                raise InputError(
                    f"{there} is there already, and may hold codes: give the sheet another name with --out"
                )
        population = pd.DataFrame({"id": said.values.index, "stratum": said.strata().to_numpy()})
        unreadable = self.frame("SELECT id FROM media WHERE error IS NOT NULL")["id"]  # nobody can code these
        population = population[~population["id"].isin(unreadable)]
        drawn = draw(population, n, ["stratum"], seed, allocate)
        arguments = {"machine": said.title, "sample": n, "allocate": allocate, "seed": seed, "where": where}
        with self.record("audit", arguments) as run:
            crops = self._write_crops(drawn["id"].tolist(), folder)
            sheet = pd.DataFrame(
                {"order": drawn["order"], "picture": crops, "id": drawn["id"], "value": "", "note": ""}
            )
            write_table(sheet.assign(pi=drawn["pi"].to_numpy()), path)
            run.counts = {"population": len(population), "drawn": n, "unreadable": crops.count("")}
        table = drawn.groupby("stratum").agg(units=("n_stratum", "first"), drawn=("id", "size"), pi=("pi", "first"))
        words = [
            f"{n:,} of {len(population):,} were drawn at random, within what the machine says, each with a known "
            f"probability. They are in the folder {folder}, without what the machine says, and on sheets of many.",
            f"Fill in the column 'value' of {path}, one copy a coder: {said.hint()}; empty where nobody can tell. Then",
            f"visanda audit {said.title} --codes {path}",
        ]
        warnings = []
        if drawn["pi"].nunique() > 1:
            warnings.append(
                "the column pi tells who looks closely what the machine says: take it out of the coders' copies, and "
                "name this sheet among the --codes as well"
            )
        if crops.count(""):
            warnings.append(f"{crops.count('')} pictures cannot be read and have no file in the folder")
        return Result(f"Sample to audit {said.title}", table.reset_index(), words, warnings, provenance=arguments)

    def _write_crops(self, ids: Sequence[str], folder: Path) -> list[str]:
        """A JPEG for each unit, in the order of coding, and contact sheets of them; names of the files."""
        sources = self.paths(ids)
        folder.mkdir(parents=True)
        names: list[str] = []
        small: list[Path | None] = []
        for order, id in enumerate(ids, 1):
            name = f"{order:0{len(str(len(ids)))}}.jpg"
            try:
                save(_shown(sources.get(id)), folder / name, quality=90)
                names.append(f"{folder.name}/{name}")
                small.append(folder / name)
            except MediaError:
                names.append("")
                small.append(None)
        for begin in range(0, len(ids), SHEET):
            captions = [str(begin + place + 1) for place in range(len(small[begin : begin + SHEET]))]
            sheet = contact_sheet(small[begin : begin + SHEET], captions)
            sheet.save(folder / f"sheet-{begin // SHEET + 1}.jpg", quality=88)
        return names

    # hand codes

    def _usual_codes(self, said: Audited) -> list[str]:
        """The coded variable of the machine's name, or the sheet that a sample was written to."""
        coded = variables(self.folder)
        sheet = self.results / f"{said.name}-to-code.csv"
        found = [name for name in (said.title, said.column, said.table) if name in coded]
        if not found and not sheet.exists():
            raise InputError(_EITHER.format(said.title))
        return found[:1] or [str(sheet)]

    def _audit_codes(
        self,
        said: Audited,
        codes: list[str] | pd.DataFrame,
        column: str | None,
        by: list[str],
        cluster: str | None,
        where: str | None,
        assume_random: bool,
    ) -> Result:
        given = hand_codes(self, codes, column, said)
        held = held_against(said, given, assume_random)
        ids = held.hand.index
        groups = grouping(self, by, given, said)
        together = clusters(self, cluster, given, said, held, groups)
        result = audit(
            held.machine.reindex(ids).rename(said.column),
            held.hand,
            groups.of(ids),
            None if held.pi is None else 1 / held.pi,
            kind="numbers" if held.numeric else "classes",
            probability=None if held.probability is None else held.probability.reindex(ids),
            failed=said.failed.reindex(ids),
            cluster=None if together is None else together.reindex(ids),
        )
        result.warnings = [*given.warnings, *held.warnings, *result.warnings]
        result.words += [*held.words, *_coders(given), *_of_skin(by)]
        more = {}
        if by and not held.numeric:
            more = unequal_errors(said, held, groups, together, assume_random)
        arguments: dict[str, Any] = {
            "machine": said.title,
            "codes": given.names,
            "column": given.column,
            "by": by,
            "where": where,
        }
        arguments |= {"cluster": None if together is None else str(together.name), "assume_random": assume_random}
        with self.record("audit", arguments) as run:
            result.provenance |= arguments
            if isinstance(said, TrainedHere) and said.opens_test_set:
                times = look(self.models / said.table, said.model, len(ids))
                result.warnings.append(f"this opens the test set of {said.table}, for the {times}th time: report that")
            self._save(result, said, None if held.numeric else (held.hand, held.machine.reindex(ids)))
            self._save_more(result, more, said)
            run.counts = {"coded": len(ids)}
        return result

    def _save_more(self, result: Result, more: dict[str, Result], said: Audited) -> None:
        """Each further result beside the audit."""
        for kind, one in more.items():
            name = re.sub(r"[^\w.-]+", "-", f"{said.name}-audit-{kind}").replace(".", "-")
            one.save(self.results, name)
            for part, table in one.extra.items():
                table.to_csv(self.results / f"{name}-{part.replace(' ', '-')}.csv", index=False)
            one.words.append(f"Table and figure: {self.results / name}*")
            result.also.append(one)

    def _save(self, result: Result, said: Audited, classes: tuple[pd.Series, pd.Series] | None) -> None:
        """Table, words and figure, the further tables, and the errors as pictures."""
        name = f"{said.name}-audit"
        result.save(self.results, name)
        for more, table in result.extra.items():
            table.to_csv(self.results / f"{name}-{more.replace(' ', '-')}.csv", index=False)
        result.words.append(f"Table, figure and further tables: {self.results / name}*")
        if classes is None:
            return
        hand, machine = classes
        wrong = hand.index[(hand != machine) & machine.notna()]
        if len(wrong):
            path = self.results / f"{name}-errors.jpg"
            shown = list(wrong[:SHEET])
            sources = self.paths(shown)
            pictures: list[ImageLike | None] = [_readable(sources.get(id)) for id in shown]
            captions = [f"coded {hand[id]}, said {machine[id]}" for id in shown]
            title = f"{said.title}: {len(wrong)} of {len(hand)} differ from the hand codes"
            contact_sheet(pictures, captions, title=title).save(path, quality=88)
            result.words.append(f"Where they differ, as pictures: {path}")


def _listed(names: list[str] | None) -> list[str]:
    texts = [names] if isinstance(names, str) else names or []
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _coders(given: HandCodes) -> list[str]:
    """How far coders agree among themselves: no machine can be expected to agree with them more."""
    if not given.codes["id"].duplicated().any():
        return ["One coder: have a second one code a part of them, to know how far people agree (visanda reliability)."]
    if given.variable is None:
        return reliability(independent(given.codes)).words
    return reliability(independent(given.codes), scale=given.variable.scale, order=given.variable.values or None).words


def _of_skin(by: list[str]) -> list[str]:
    """What a reading of skin is, where groups are made of one."""
    if not any(name.rpartition(".")[2] in SKIN for one in by for name in columns_of(one)):
        return []
    return ["Skin tone is read from pictures: light moves it more than skin does, and it is never a person's race."]


def _shown(source: ImageLike | None) -> Image:
    """What coders see: a face with some of what is around it, or a whole picture."""
    if source is None:
        raise MediaError("it is not in this corpus")
    if isinstance(source, Detail):
        x, y, width, height = source.box
        left, top = max(0, round(x - MARGIN * width)), max(0, round(y - MARGIN * height))
        right, bottom = round(x + (1 + MARGIN) * width), round(y + (1 + MARGIN) * height)
        whole = Detail(source.source, (left, top, right - left, bottom - top)).image()
    else:
        whole = load(source, size=LONGEST) if isinstance(source, str | Path) else Image.of(source)
    side = min(max(*whole.pixels.shape[:2], SHORTEST), LONGEST)
    return resize(whole, side, side)


def _readable(source: ImageLike | None) -> Image | None:
    try:
        return _shown(source)
    except MediaError:
        return None
