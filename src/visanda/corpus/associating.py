"""Association: whether embeddings put pictures of one group nearer to one attribute than those of another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from visanda import codes
from visanda.corpus.audit.columns_by_name import column_of, files_of
from visanda.corpus.classify.features import EMBEDDING
from visanda.errors import InputError
from visanda.result import Result
from visanda.store import Store
from visanda.study.bias.association import association

HOW = (
    "write {0} as a column with two values, as --{0} outlet=taz,FAZ, or as two conditions on the table media, as "
    '--{0} "year < 2010" --{0} "year >= 2010"'
)
Pair = tuple[tuple[str, frozenset[str]], tuple[str, frozenset[str]]]


class Associating(Store):
    """Audit."""

    def association(
        self,
        *,
        targets: list[str],
        attributes: list[str],
        embedding: str = "embed",
        where: str | None = None,
        permutations: int = 10_000,
        seed: int = 1,
        name: str = "association",
    ) -> Result:
        """Whether embeddings put pictures of one group nearer to an attribute than those of another (iEAT).

        The image embedding association test of Steed & Caliskan (2021), on pictures of your own: are those of women
        nearer to those of kitchens than those of men are? It speaks of the embedding and of these pictures only.

        Args:
            targets: the two groups: a column and two of its values, as outlet=taz,FAZ; or two conditions in SQL on
                the table media.
            attributes: the two attributes, in the same way.
            embedding: the table of embeddings, of pictures or of faces.
            where: of which pictures, as a condition in SQL on the table media.
            permutations: random divisions of the targets to compare with; all there are, where these are fewer.
            seed: of the divisions.
            name: of the files written to results/.

        Raises:
            InputError: no such table or column; a value that no picture has; not two groups.
            DesignError: too few pictures in one of the four.
        """
        codes.check_name("result", name)
        self.require(embedding, f"'visanda measure {embedding}' first; there are: {', '.join(self.tables())}")
        if EMBEDDING not in self.column_names(embedding):
            raise InputError(f"the table {embedding!r} has no column {EMBEDDING!r}: name a table of embeddings")
        ids, vectors = self.vectors(embedding, EMBEDDING)
        if not ids:
            raise InputError(f"the table {embedding!r} holds no vectors: measure pictures first")
        kept = self._of_files(pd.Index(ids), where)
        ours, theirs = self._pair(targets, "targets", kept)
        one, other = self._pair(attributes, "attributes", kept)
        in_both = (ours[1] | theirs[1]) & (one[1] | other[1])
        place = {id: row for row, id in enumerate(ids)}
        sets = [ours[1], theirs[1], one[1] - in_both, other[1] - in_both]
        given = [vectors[[place[id] for id in sorted(members)]].astype(np.float64) for members in sets]
        arguments: dict[str, Any] = {
            "targets": targets,
            "attributes": attributes,
            "embedding": embedding,
            "where": where,
        }
        arguments |= {"permutations": permutations, "seed": seed}
        with self.record("association", arguments) as run:
            names = (ours[0], theirs[0], one[0], other[0])
            result = association(*given, names=names, permutations=permutations, seed=seed)
            if in_both:
                result.warnings.append(
                    f"{len(in_both)} pictures are in a group and have an attribute: they do not stand for the "
                    "attribute, "
                    "since each is nearest to itself."
                )
            result.provenance |= arguments
            members = [id for part in sets[:2] for id in sorted(part)]
            result.extra["pictures"].insert(0, "id", members)
            result.extra["pictures"].to_csv(self._place(f"{name}-pictures.csv"), index=False)
            written = result.save(self.results, name)
            result.words.append(f"Table, words and figure: {', '.join(str(path) for path in written)}")
            run.counts = {key: len(part) for key, part in zip(("x", "y", "a", "b"), sets, strict=True)}
        return result

    def _place(self, name: str) -> str:
        self.results.mkdir(parents=True, exist_ok=True)
        return str(self.results / name)

    def _of_files(self, ids: pd.Index, where: str | None) -> pd.Index:
        """The units that lie in the files chosen by a condition."""
        chosen = self.frame(f"SELECT id FROM media WHERE ({where or 'true'})")["id"]
        return ids[files_of(ids).isin(chosen)]

    def _pair(self, given: list[str], what: str, ids: pd.Index) -> Pair:
        """The names of two sets of units, and who is in them."""
        texts = [given] if isinstance(given, str) else list(given)
        if len(texts) == 1:
            sets = self._values(texts[0], what, ids)
        else:
            sets = [(text, frozenset(self._of_files(ids, text))) for text in texts]
        if len(sets) != 2 or sets[0][0] == sets[1][0]:
            raise InputError(f"there must be two {what}, and two of them differ: {HOW.format(what)}")
        for text, members in sets:
            if not members:
                raise InputError(f"no picture with an embedding is {text!r}: {HOW.format(what)}")
        if both := sets[0][1] & sets[1][1]:
            raise InputError(f"{len(both)} pictures are in both {what}, such as {min(both)!r}: they must not overlap")
        return sets[0], sets[1]

    def _values(self, text: str, what: str, ids: pd.Index) -> list[tuple[str, frozenset[str]]]:
        """Two values of a column, as outlet=taz,FAZ."""
        column, _, values = text.partition("=")
        held = column_of(self, column.strip(), ids)
        texts = held.map(str, na_action="ignore")
        named = [one.strip() for one in values.split(",") if one.strip()]
        if len(named) != 2:
            there = ", ".join(sorted(texts.dropna().unique())[:8])
            raise InputError(f"name two values of {column.strip()!r}, of: {there or 'none'}; {HOW.format(what)}")
        return [(one, frozenset(ids[(texts == one).to_numpy()])) for one in named]
