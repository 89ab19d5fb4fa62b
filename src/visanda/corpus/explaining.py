"""Learn: why a classifier says what it says, and whether it rests on something else than what was coded."""

from __future__ import annotations

from visanda.corpus.classify.chosen import known, told, worth_explaining
from visanda.corpus.classify.explained import How, Looking, maps, rests_on, sheet_of_maps, sheet_of_neighbours
from visanda.corpus.classify.looks import WHOLE, facts_of_files, look, source_of, text_boxes
from visanda.corpus.classify.suspicions import FILES, WITHIN, plot, said, suspicious
from visanda.corpus.measuring import Measuring
from visanda.errors import InputError
from visanda.learn.shortcuts import alone, compared
from visanda.learn.target import Target
from visanda.learn.trained import load
from visanda.result import Result

WAYS = {
    "activation": "activation maps (Zhou et al. 2016): what the evidence loses when a place is left out of the mean "
    "over all places",
    "occlusion": "occlusion (Zeiler & Fergus 2014): what the evidence loses when a part of the picture is covered",
}
LEAST = 12  # coded pictures without which an area under a curve says nothing


class Explaining(Measuring):
    """Learn."""

    def explain(
        self,
        variable: str,
        *ids: str,
        model: str | None = None,
        n: int = 12,
        value: str | None = None,
        how: How = "auto",
        neighbours: bool = False,
    ) -> Result:
        """Show where in pictures a classifier sees what it says, as a map over each; the test set stays closed.

        Args:
            variable: what was trained.
            ids: which pictures; by default a third each of those that it is sure of and right, sure of and wrong, and
                not sure of, among the coded pictures that are not for testing. Each is judged by a model that had not
                seen its code, where there is one.
            model: its name; the one trained last by default.
            n: how many pictures, where no ids are given.
            value: what the maps are about; of each picture, what it is said to show, by default.
            how: activation, for networks that average over places; occlusion, for any model, in about fifty times the
                time; auto: the former where it can be done.
            neighbours: also show the coded pictures that each prediction rests on.

        Raises:
            InputError: nothing is trained, a value or a picture that is not known, or a model without activation maps.
        """
        trained = load(self.models / variable, model)
        output = _output(variable, trained.target, value)
        if n < 1:
            raise InputError(f"n must be at least 1, not {n}")
        arguments = {"variable": variable, "ids": list(ids), "model": trained.name, "value": value, "how": how}
        about = known(self, trained, ids)
        rows = told(trained, about, output).assign(why="") if ids else worth_explaining(trained, about, output, n)
        rows["value"] = [trained.target.classes[at] if trained.target.classes else "value" for at in rows["output"]]
        looking = Looking(self, trained)
        way = looking.way(how)
        with self.record("explain", arguments) as run:
            paths = self.paths(rows["id"].tolist())
            rows, overlays = maps(looking, rows, paths, way)
            speaks = repr(value) if value else "what is said" if trained.target.classes else "a higher value"
            title = f"{variable} ({trained.name}): where it sees what it says"
            path = self.results / f"{variable}-explain.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            sheet_of_maps(rows, overlays, paths, title, speaks).save(path, quality=88)
            table = rows[
                ["id", "why", "coded", "said", "value", "probability", "peak_x", "peak_y", "evidence", "error"]
            ]
            if not trained.target.classes:
                table = table.drop(columns=["value", "probability"])
            result = Result(f"{variable}: what {trained.name} looks at", table, [f"The maps: {path}."])
            result.words.append(f"Maps are {WAYS[way]}. They show what the model rests on, not whether it should.")
            if neighbours:
                near = rests_on(self, looking, rows, paths)
                both = self.paths([*rows["id"], *near["neighbour"]])
                path = self.results / f"{variable}-neighbours.jpg"
                title = f"{variable} ({trained.name}): the coded pictures that predictions rest on"
                sheet_of_neighbours(rows, near, both, title).save(path, quality=88)
                result.extra["neighbours"] = near
                result.words.append(f"Beside each, the coded pictures that it rests on: {path}.")
            if opened := int((rows["set"] == "test").sum()) if "set" in rows else 0:
                result.warnings.append(
                    f"{opened} of these pictures are of the test set: change no model because of them, or report it"
                )
            result.provenance |= arguments | {"how": way}
            result.save(self.results, f"{variable}-explain")
            run.counts = {"pictures": len(rows)}
        return result

    def shortcuts(
        self,
        variable: str,
        *,
        model: str | None = None,
        source: str | None = None,
        n: int = 400,
        resamples: int = 500,
        seed: int = 1,
    ) -> Result:
        """Check whether a classifier rests on borders, watermarks, text, the source, or the kind of file.

        Parts of the coded pictures are hidden, and each is judged by a model that had not seen its code; facts about
        pictures predict the codes without any pixels. The test set stays closed.

        Args:
            variable: what was trained.
            model: its name; the one trained last by default.
            source: a column of the table media that should tell nothing about the codes, such as an outlet.
            n: at most so many pictures, drawn at random.
            resamples: of the bootstrap that makes intervals.
            seed: of the draw, of folds and of the bootstrap.

        Raises:
            InputError: nothing is trained, or no pictures were coded; a column that is not there.
        """
        trained = load(self.models / variable, model)
        target = trained.target
        arguments = {"variable": variable, "model": trained.name, "source": source, "n": n, "seed": seed}
        rows = known(self, trained)
        rows = rows[rows["coded"].notna()]
        if len(rows) < LEAST:
            raise InputError(
                f"{len(rows)} coded pictures that {trained.name} did not learn by heart are too few: code more, or "
                "look at a head, with --model linear"
            )
        rows = rows.sample(min(n, len(rows)), random_state=seed).sort_values("id")
        if source is not None:
            source_of(self, source, [])
        with self.record("shortcuts", arguments) as run:
            ids = rows["id"].tolist()
            seen = look(Looking(self, trained), rows, self.paths(ids), text_boxes(self, ids))
            truth = target.encode(rows.set_index("id")["coded"].reindex(seen.ids).tolist())
            groups = trained.split.sets.set_index("id")["group"].reindex(seen.ids).fillna("").tolist()
            judge = rows.set_index("id")["fold"].reindex(seen.ids).astype(str)
            looks, strata = dict(seen.looks), dict.fromkeys(seen.looks, judge.to_numpy())
            looks[FILES], strata[FILES] = alone(facts_of_files(self, seen), truth, target, groups, seed)
            if source is not None:
                sources = source_of(self, source, seen.ids)
                name = f"{source} alone"
                looks[name], strata[name] = alone(sources.to_frame(source), truth, target, groups, seed)
                looks[WITHIN], strata[WITHIN] = seen.looks[WHOLE], (judge + "|" + sources).to_numpy()
            table = compared(truth, looks, target, groups, strata=strata, resamples=resamples, seed=seed)
            numbers = target.scale == "interval"
            table["suspicious"] = suspicious(table, numbers)
            what = "correlation" if numbers else "AUC"
            words, careful = said(table, what)
            if not trained.folds:
                careful.append(
                    "this model has no cross-fitted companions: it learnt from these pictures, or stopped by them"
                )
            if seen.failed:
                careful.append(f"{seen.failed} pictures could not be read")
            title = f"{variable}: does {trained.name} take a shortcut? ({len(seen.ids)} coded pictures)"
            result = Result(title, table, words, careful, lambda: plot(table, what, 0.0 if numbers else 0.5), arguments)
            result.save(self.results, f"{variable}-shortcuts")
            run.counts = {"pictures": len(seen.ids), "suspicious": int(table["suspicious"].sum())}
        return result


def _output(variable: str, target: Target, value: str | None) -> int | None:
    if value is None:
        return None
    if value not in target.classes:
        raise InputError(
            f"the model of {variable!r} knows no value {value!r}: give {', '.join(target.classes) or 'none'}"
        )
    return target.classes.index(value)
