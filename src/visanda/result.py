"""Result: a table with its figure, its words and its provenance; what every analysis gives back."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

matplotlib.rcParams["svg.hashsalt"] = "visanda"  # the same figure, the same bytes


@dataclass
class Result:
    """What an analysis found.

    Attributes:
        title: one line that says what this is.
        table: the numbers, one row a thing.
        words: sentences that say what the numbers mean, ready for a paper.
        warnings: what a careful reader must know before believing them.
        draw: makes the figure when it is asked for; ``None`` where there is nothing to see.
        provenance: arguments, seeds, counts: enough to do it again.
        extra: further tables by name (a confusion matrix, bins, details).
        also: further results of the same question, each with a table, words and a figure of its own.
        name: what its files are called behind those of the result that it is an ``also`` of; empty: it has none.
    """

    title: str
    table: pd.DataFrame
    words: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    draw: Callable[[], Figure] | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, pd.DataFrame] = field(default_factory=dict)
    also: list[Result] = field(default_factory=list)
    name: str = ""

    @property
    def figure(self) -> Figure | None:
        """The figure, drawn anew at each call; ``None`` where the result has none."""
        return self.draw() if self.draw else None

    def figure_png(self, dpi: int = 144) -> bytes | None:
        """The figure as PNG bytes, ``dpi`` dots an inch."""
        figure = self.figure
        if figure is None:
            return None
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})
        return buffer.getvalue()

    def save(self, folder: Path | str, name: str) -> list[Path]:
        """Write ``name.csv``, ``name.json`` (words, warnings, provenance) and ``name.png`` into ``folder``.

        Further results that have a name are written beside it, as ``name-theirs.csv`` and so on.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        table_path, note_path = folder / f"{name}.csv", folder / f"{name}.json"
        self.table.to_csv(table_path, index=False)
        note = {"title": self.title, "words": self.words, "warnings": self.warnings, **self.provenance}
        note_path.write_text(json.dumps(note, indent=2, default=str, ensure_ascii=False), encoding="utf-8")
        written = [table_path, note_path]
        if png := self.figure_png():
            (folder / f"{name}.png").write_bytes(png)
            written.append(folder / f"{name}.png")
        for one in self.also:
            written += one.save(folder, f"{name}-{one.name}") if one.name else []
        return written

    def _repr_html_(self) -> str:
        parts = [f"<h3>{html.escape(self.title)}</h3>", self.table.to_html(index=False)]
        parts += [f"<p><b>Careful:</b> {html.escape(text)}</p>" for text in self.warnings]
        parts += [f"<p>{html.escape(text)}</p>" for text in self.words]
        if png := self.figure_png():
            parts.append(f'<img alt="{html.escape(self.title)}" src="data:image/png;base64,')
            parts[-1] += base64.b64encode(png).decode() + '">'
        parts += [one._repr_html_() for one in self.also]
        return "\n".join(parts)

    def __str__(self) -> str:
        lines = [self.title, "", self.table.to_string(index=False), ""]
        lines += [f"Careful: {text}" for text in self.warnings] + self.words
        lines += [f"\n{one}" for one in self.also]
        return "\n".join(lines)
