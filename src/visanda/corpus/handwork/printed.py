"""The codebook as a page that coders print: what is asked, what each value means, examples as pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path

from visanda.aside import written_aside
from visanda.codebook import Variable
from visanda.corpus.handwork.names import Names
from visanda.corpus.handwork.sheets import Source, look, sources_of
from visanda.errors import InputError, MediaError
from visanda.media import thumbnail
from visanda.store import Store

SIDE = 180  # pixels of an example's longer side
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 52em; margin: 2em auto; padding: 0 1em; color: #222 }
h2 { margin-top: 2em; border-bottom: 1px solid #ccc } section { break-inside: avoid } .soft { color: #666 }
dt { font-weight: 600; margin-top: .8em } dd { margin: 0 0 0 1em }
figure { display: inline-block; margin: .4em .6em 0 0 }
figcaption { font-size: 11px; color: #666; max-width: 180px; overflow-wrap: anywhere }
"""
HOW = {
    "nominal": "One of the values.",
    "ordinal": "One of the values, which are in order.",
    "multilabel": "All labels that fit, or none of them.",
    "pairwise": "Which of two has more of it: left, right, or tie.",
}


def write_printed(store: Store, variables: Iterable[Variable], path: Path) -> Path:
    """Write the page, one file that holds its pictures.

    Raises:
        InputError: it cannot be written.
    """
    sections = "\n".join(_section(store, one) for one in variables)
    page = (
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Codebook: {escape(store.name)}</title>'
        f"<style>{STYLE}</style>\n<h1>Codebook: {escape(store.name)}</h1>\n{sections}\n</html>\n"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as aside:
            aside.write_text(page, "utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _section(store: Store, one: Variable) -> str:
    listed = list(dict.fromkeys([*one.answers, *one.meanings, *one.examples]))
    pictures = _pictures(store, one)
    values = "\n".join(
        f"<dt>{escape(value)}</dt><dd>{escape(one.meanings.get(value, ''))}<div>{pictures.get(value, '')}</div></dd>"
        for value in listed
    )
    return (
        f"<section><h2>{escape(one.name)}</h2>\n<p>{escape(one.definition) or '<i>No definition yet.</i>'}</p>\n"
        f'<p class="soft">{escape(_how(one))} Coded: each {escape(one.on)}. Version {one.version}.</p>\n'
        f"<dl>{values}</dl></section>"
    )


def _how(one: Variable) -> str:
    if one.scale != "interval":
        return HOW[one.scale] if one.answers else "Any word."
    low, high = ("any" if end is None else f"{end:g}" for end in (one.low, one.high))
    return f"A number, from {low} to {high}."


def _pictures(store: Store, one: Variable) -> dict[str, str]:
    """The examples of each value, as HTML."""
    names = [name for examples in one.examples.values() for name in examples]
    found, _ = Names(store, one).find([[name] for name in names]) if names else ([], [])
    sources = sources_of(store, [id for id in found if id is not None])
    shown = {name: _picture(name, sources.get(id or "")) for name, id in zip(names, found, strict=True)}
    return {value: "".join(shown[name] for name in examples) for value, examples in one.examples.items()}


def _picture(name: str, source: Source | None) -> str:
    try:
        seen = look(source)
        image = "" if seen is None else base64.b64encode(thumbnail(seen, SIDE)).decode()
    except MediaError:
        image = ""
    picture = f'<img alt="" src="data:image/jpeg;base64,{image}">' if image else "(no picture)"
    return f"<figure>{picture}<figcaption>{escape(name)}</figcaption></figure>"
