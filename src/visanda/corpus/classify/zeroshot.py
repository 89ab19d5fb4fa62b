"""Zero-shot models of a corpus: what its values are called, and where its pictures lie among words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from visanda.codebook import Variable
from visanda.codes import NO, YES
from visanda.errors import InputError
from visanda.learn.concepts import conse_space
from visanda.learn.heads import Fitted
from visanda.learn.search import concept_batches
from visanda.learn.target import Target
from visanda.learn.zeroshot import Space, fit
from visanda.measures.clip import clip_space, clip_texts
from visanda.models import embed_texts
from visanda.store import Store

CONCEPTS, JOINT = "classify", "clip"  # the measures whose tables place pictures among words
TEMPLATES = ("{}", "a photo of {}")  # for values without prompts; the second is CLIP's own (Radford et al. 2021)
RESIDUAL = {"other", "others", "none", "neither", "sonstiges", "andere", "autre", "autres", "otro", "otros", "altro"}


def phrases(variable: Variable) -> dict[str, tuple[str, ...]]:
    """The words by which each value is looked for: its prompts, or made of its name and meaning.

    A value that says yes is looked for by the variable's name. One that says no, or other, has no words unless it has
    prompts: encoders of words do not understand a negation.

    >>> phrases(Variable("protest", values=("yes", "no"), prompts={"yes": ("a crowd with banners",)}))
    {'yes': ('a crowd with banners',), 'no': ()}
    >>> phrases(Variable("kind", values=("power_plant", "other")))["power_plant"]
    ('power plant', 'a photo of power plant')

    Raises:
        InputError: the variable has no values, or none of them has words.
    """
    if not variable.values:
        raise InputError(
            f"zero-shot needs to know the values of {variable.name!r}: visanda codebook {variable.name} --values yes,no"
        )
    found = {value: _phrases(variable, value) for value in variable.values}
    if not any(found.values()):
        raise InputError(
            f"none of the values {', '.join(variable.values)} of {variable.name!r} can be looked for by its name: give "
            "prompts in codebook.toml"
        )
    return found


def _phrases(variable: Variable, value: str) -> tuple[str, ...]:
    if given := tuple(variable.prompts.get(value, ())):
        return given
    plain = value.strip().lower()
    if plain in NO | RESIDUAL:
        return ()
    name = (variable.name if plain in YES else value).replace("_", " ").strip()
    meaning = variable.meanings.get(value, "").strip()
    return tuple(template.format(name) for template in TEMPLATES) + ((meaning,) if meaning else ())


def joint(described: Mapping[str, Any]) -> Space:
    """The space of a table, of what its ``measure.json`` says.

    Raises:
        InputError: its measure does not place pictures among words.
    """
    if described.get("name") == CONCEPTS:
        return conse_space()
    if described.get("name") == JOINT:
        scale, level = clip_space(described["arguments"]["model"])
        return Space(f"{JOINT} {described['arguments']['model']}", scale, level)
    raise InputError(
        f"{described.get('name', 'this table')!r} does not place pictures among words: use the table of "
        f"'visanda measure {CONCEPTS}', or of '{JOINT}' with a CLIP or SigLIP of the hub"
    )


def text_vectors(described: Mapping[str, Any], words: Sequence[str]) -> np.ndarray:
    """Vectors (n, d) of words in the space of a table, of what its ``measure.json`` says."""
    if joint(described) is conse_space():
        return embed_texts(words)
    return clip_texts(described["arguments"]["model"], words)


def vector_batches(store: Store, table: str = CONCEPTS) -> Iterator[tuple[list[str], np.ndarray]]:
    """Ids and vectors (n, d) of pictures in the space of a table, some thousands at a time."""
    if store.describe(table).get("name") == CONCEPTS:
        return concept_batches(store.parts(table).batches(["id", "labels", "probabilities"]))
    return store.vector_batches(table, "embedding")


def concept_vectors(
    store: Store, ids: Iterable[str] | None = None, table: str = CONCEPTS
) -> tuple[list[str], np.ndarray]:
    """Ids and vectors (n, d) of pictures in the space of a table; of these ids only, where given."""
    wanted = None if ids is None else set(ids)
    names: list[str] = []
    blocks: list[np.ndarray] = []
    for found, vectors in vector_batches(store, table):
        keep = [i for i, name in enumerate(found) if wanted is None or name in wanted]
        names += [found[i] for i in keep]
        blocks.append(vectors[keep])
    return names, np.concatenate(blocks).astype(np.float32) if blocks else np.empty((0, 0), np.float32)


def zeroshot_head(
    store: Store,
    variable: Variable,
    ids: Sequence[str] = (),
    truth: np.ndarray | None = None,
    groups: Sequence[str] = (),
    seed: int = 1,
    table: str = CONCEPTS,
) -> Fitted:
    """A head made of the variable's words, tuned on codes where there are some.

    Args:
        store: the corpus.
        variable: what is to be predicted; its values and prompts are what is looked for.
        ids: of the n coded pictures, in the order of ``truth``.
        truth: their codes, as ``target_of(variable).encode`` gives them; ``None``: nothing is coded.
        groups: of the coded pictures.
        seed: of the folds.
        table: ``classify`` (ConSE), or that of the measure ``clip``.

    Raises:
        InputError: the table is not there or places no pictures among words; no value has words.
    """
    store.require(table, f"'visanda measure {table}' first")
    described = store.describe(table)
    words = phrases(variable)
    space = joint(described)
    width = text_vectors(described, ["a"]).shape[1]
    texts = {
        value: text_vectors(described, said) if said else np.empty((0, width), np.float32)
        for value, said in words.items()
    }
    found, vectors = concept_vectors(store, ids, table) if len(ids) else ([], np.empty((0, width), np.float32))
    place = {id: row for row, id in enumerate(found)}
    if missing := [id for id in ids if id not in place]:
        raise InputError(f"{len(missing)} coded pictures are not in the table {table!r}, such as {missing[0]}")
    rows = vectors[[place[id] for id in ids]]
    made = fit(rows, texts, target_of(variable), truth, groups, space=space, seed=seed)
    return replace(made, settings={**made.settings, "prompts": words})


def target_of(variable: Variable) -> Target:
    """What a model of a variable predicts, of its values in the codebook.

    Raises:
        InputError: a pairwise or an interval variable, whose values have no names.
    """
    if variable.scale == "pairwise" or variable.scale == "interval":
        raise InputError(
            f"{variable.name!r} is {variable.scale}: zero-shot models are for values with names; train another model"
        )
    return Target(variable.scale, tuple(variable.values))
