"""The methods paragraphs: sentences made from what was really run."""

from __future__ import annotations

from visanda.report.corrections import corrections
from visanda.report.gather import Facts, Variable
from visanda.study.output.references import Reference

REPORTED = ("accuracy", "macro F1", "AUC", "mean absolute error", "r", "ICC")  # measures, as tables have them


HASHES = Reference(
    "zauner2010",
    ("Zauner, C.",),
    2010,
    "Implementation and benchmarking of perceptual image hash functions",
    "Diploma thesis, Upper Austria University of Applied Sciences, Hagenberg",
    kind="unpublished",
)
SILHOUETTE = Reference(
    "rousseeuw1987",
    ("Rousseeuw, P. J.",),
    1987,
    "Silhouettes: A graphical aid to the interpretation and validation of cluster analysis",
    "Journal of Computational and Applied Mathematics",
    volume="20",
    pages="53–65",
    doi="10.1016/0377-0427(87)90125-7",
)


def methods(facts: Facts) -> tuple[list[str], list[Reference]]:
    """Paragraphs for the methods section of a paper, and the references that they cite, by author."""
    found = [_data(facts), _measures(facts)]
    found += [_clusters(made) for made in facts.clusters]
    for variable in facts.variables:
        found += [_coding(variable), _classifier(variable)]
    corrected, papers = corrections(facts)
    found += [*(_panel(run) for run in facts.panels), *corrected, _software(facts)]
    papers += [HASHES] if facts.duplicates else []
    papers += [SILHOUETTE] if facts.clusters else []
    return [text for text in found if text], sorted(set(papers), key=lambda one: (one.authors, one.year))


def _data(facts: Facts) -> str:
    media = facts.media
    kinds = [f"{media['pictures']:,} pictures"] if media["pictures"] or not media["videos"] else []
    if media["videos"]:
        kinds.append(f"{media['videos']:,} videos ({media['long']})")
    text = f"The corpus holds {' and '.join(kinds)}"
    text += (
        f", {media['unreadable']:,} of which could not be read." if media["unreadable"] else ", all of them readable."
    )
    if media["derived"]:
        text += f" {media['derived']:,} of them were derived from others by cropping, resizing or the like."
    if facts.duplicates:
        copies = facts.duplicates["copies"]
        text += (
            " Copies were found by SHA-256 of the pixels and by a 64-bit DCT perceptual hash (Zauner 2010): "
            f"{copies:,} pictures are exact or near copies of others."
        )
    return text


def _measures(facts: Facts) -> str:
    sentences = []
    for made in facts.measures:
        if made.described["name"] == "frames":
            chosen = ", ".join(f"{name} = {_said(value)}" for name, value in made.described["arguments"].items())
            sentences.append(f"Frames were chosen from the videos ({chosen}): {made.units}.")
            continue
        if "counts" in made.described:  # the pictures of a table of things, which is told already
            continue
        if "size" not in made.described:  # derived from other tables, such as people and tracks
            given = ", ".join(f"{name} = {_said(value)}" for name, value in made.described["arguments"].items())
            sentences.append(f"{made.table} was derived ({given or 'no arguments'}): {made.units}.")
            continue
        size = made.described["size"]
        whole = "from the sound" if made.described["on"] == "video" else "from every pixel"
        pixels = f"at a shorter side of {size} pixels" if size else whole
        failed = f"; {made.failed:,} failed" if made.failed else ""
        given = ", ".join(f"{name} = {_said(value)}" for name, value in made.described["arguments"].items())
        given = f" ({given})" if given else ""
        sentences.append(
            f"{made.table}{given} was measured {pixels} for {made.units}{failed} [{made.described['source']}]."
        )
    return " ".join(sentences)


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _clusters(made: dict) -> str:
    where = f" (where {made['arguments']['where']})" if made["arguments"]["where"] else ""
    return (
        f"Pictures{where} were clustered by k-means (k = {made['arguments']['k']}, ten k-means++ starts, seed "
        f"{made['arguments']['seed']}) on image embeddings of length 1; the mean silhouette (Rousseeuw 1987) is "
        f"{made['silhouette']:.2f}."
    )


def _coding(variable: Variable) -> str:
    if variable.coders is None:
        return ""
    text = f"For the variable {variable.name}, "
    if variable.design:
        design = variable.design
        by = design["arguments"].get("by")
        strata = f", stratified by {', '.join(by)} ({design['arguments'].get('allocate')} allocation)," if by else ""
        text += (
            f"a random sample{strata} of {design['drawn']:,} of {design['population']:,} pictures was drawn with known "
            f"probabilities (seed {design['arguments'].get('seed')}). "
        )
    else:
        text += "pictures were coded that were not drawn with known probabilities. "
    return text + " ".join(variable.coders.words)


def _classifier(variable: Variable) -> str:
    card = variable.card
    if card is None:
        return ""
    groups, units = card["split"].get("group", []), card["units"]
    together = f"near-duplicates and pictures of the same {' and '.join(groups)}" if groups else "near-duplicates"
    learnt = f"{units['train'] + units['validation']:,} coded units"
    if card["kind"] == "finetune":
        learnt = f"{units['train']:,} coded units, with {units['validation']:,} to tell when to stop,"
    text = (
        f"A model of {variable.name} ({card['model']}) was trained on {learnt}; {units['test']:,} more were put aside "
        f"before, to test it on, {together} kept on one side where known."
    )
    if variable.validity:
        table = variable.validity.table
        parts = [
            f"{name} {value:.3f} (95 % CI {low:.3f} to {high:.3f})"
            for name, value, low, high in table[["measure", "value", "low", "high"]].itertuples(index=False)
            if name in REPORTED
        ]
        times = variable.looks
        said = f" On the test set: {', '.join(parts)};" if parts else " It was tested;"
        text += f"{said} the test set was looked at {times} time{'s' if times != 1 else ''}."
    if variable.crossfit:
        text += (
            " For estimates, each coded unit was predicted by a model that had not seen its code (cross-fitting); "
            "these predictions are the machine's in what follows."
        )
    return text


def _panel(run: dict) -> str:
    """How pictures became rows of a unit above them."""
    given, counts = run["arguments"], run["counts"]
    text = f"A table with a row for each {' and '.join(given['unit'])} was made of {counts.get('rows', 0):,} pictures"
    text += f" ({', '.join(given.get('measures', []))}): {counts.get('units', 0):,} units."
    if given.get("fill"):
        text += " Times at which a unit has no pictures were filled in, with counts of 0 and no means."
    moved = [f"{name} of {', '.join(map(str, given[name]))}" for name in ("lags", "leads") if given.get(name)]
    moved += ["changes"] if given.get("differences") else []
    return text + (f" {', '.join(moved).capitalize()} go by true distance in time." if moved else "")


def _software(facts: Facts) -> str:
    versions = facts.versions
    models = ", ".join(f"{model['name']} ({model['licence']})" for model in facts.models)
    used = f" Models: {models}." if models else ""
    return f"All steps were run in visanda {versions['visanda']} (Python {versions['python']}).{used}"
