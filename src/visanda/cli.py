"""The command ``visanda``: made from the public functions, so that an option is defined once."""

from __future__ import annotations

import inspect
import re
import shlex
import sys
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pandas as pd
from cyclopts import App, Group, Parameter
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

import visanda
from visanda.corpus import Corpus
from visanda.demo import demo
from visanda.errors import VisandaError
from visanda.measure import Measure, registered
from visanda.models import MODELS
from visanda.result import Result
from visanda.study.output.fitted_model import label

ROWS = 40  # of a table on the screen
APART = 2  # characters between two columns
LONGEST_WORDS = (30, 18)  # characters of a word that is not broken in a table that does not fit; if need be
BREAKS = re.compile(r"\s+|(?<=[^\W\d]-)(?=[^\W\d])")  # where text may be folded: between words, at their hyphens
TOGETHER = re.compile(r"[\d.]+ %( CI)?|\S+( [±<>=] [-\d.]+)+|\S+ × \S+")  # what stands on one line
PYTHON_ONLY = {"join", "population"}  # the verb for them on the command line is ``table``
MISTAKEN = {  # verbs that sound alike: the one that is meant where some options are given, and what the other does
    "share": ("shares", {"--by", "--adjust"}, "makes a copy for an archive, and has no shares by group"),
}
GROUPS = {  # verbs of several words: a method ``faces_gallery_add`` is ``visanda faces gallery add``
    "faces": "Who is who: the faces of a corpus, by a gallery of known people or by their likeness.",
    "models": "The models inside, with licence, source, use and limits; and those that were trained in a corpus.",
    "faces gallery": "The gallery: pictures of known people, by which faces get their names.",
}

console = Console()
app = App(
    name="visanda",
    help="Images and video as data: from a folder of pictures to a hypothesis test that is honest about the "
    "classifier's errors.\n\nThe corpus is the current folder, or the one named first: visanda -C DIR VERB ...",
    version=visanda.__version__,
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,  # main says what was kept
)


def main(words: list[str] | None = None) -> None:
    """Run the command; ends with 0, with 1 after an error that says what to do, with 130 when interrupted."""
    words = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in words
    try:
        folder, rest = _folder([word for word in words if word != "--debug"])
        _corpus.folder = folder
        app(_meant(rest))
    except VisandaError as error:
        if debug:
            raise
        Console(stderr=True).print(f"[red]visanda:[/red] {_plain(error)}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print("\nvisanda: stopped. What was finished is kept; the same command goes on from there.", file=sys.stderr)
        sys.exit(130)


def _folder(words: list[str]) -> tuple[str, list[str]]:
    """The corpus named by ``-C DIR`` before the verb, as in git."""
    if words[:1] != ["-C"]:
        if "-C" in words:
            raise VisandaError("-C comes before the verb, as in git: visanda -C DIR " + words[0])
        return ".", words
    if len(words) < 2:
        raise VisandaError("-C needs a folder")
    return words[1], words[2:]


def _meant(words: list[str]) -> list[str]:
    """The words with the verb that is meant, where one that sounds like it is given its options; and that is said."""
    for verb, (meant, options, what) in MISTAKEN.items():
        given = {word.split("=")[0] for word in words}
        if words[:1] == [verb] and given & options:
            words = [meant, *words[1:]]
            console.print(_plain(f"'visanda {verb}' {what}: taken as {shlex.join(['visanda', *words])}"))
    return words


class _Corpus:
    """The corpus that this call of the command is about."""

    folder = "."

    def open(self) -> Corpus:
        return Corpus(self.folder)


_corpus = _Corpus()


def _plain(text: object) -> str:
    return str(text).replace("[", r"\[")


# showing


def show(what: object, out: Path | None = None) -> None:
    """Put what a verb gave back on the screen."""
    if out is not None and isinstance(what, pd.DataFrame):
        console.print(f"{len(what):,} rows in {out}", highlight=False)
    elif isinstance(what, pd.DataFrame):
        _show_table(what)
    if isinstance(what, pd.DataFrame):
        _show_words(what.attrs.get("words", []), what.attrs.get("warnings", []))
    elif isinstance(what, Result):
        console.print(f"[bold]{_plain(what.title)}[/bold]", highlight=False)
        _show_table(what.table)
        _show_words(what.words, what.warnings)
        for one in what.also:
            console.print()
            show(one)
    elif what is not None:
        console.print(_plain(what), highlight=False, soft_wrap=True)


def _show_words(words: list[str], warnings: list[str]) -> None:
    for text in warnings:
        said = _plain(_folded(f"Careful: {text}")).removeprefix("Careful:")
        console.print(f"[yellow]Careful:[/yellow]{said}", highlight=False, soft_wrap=True)
    for text in words:
        console.print(_plain(_folded(text)), highlight=False, soft_wrap=True)


def _folded(text: str) -> str:
    """Lines as long as the screen, none of which ends inside of ``p < .001`` or ``95 % CI``."""
    whole = TOGETHER.sub(lambda found: found[0].replace(" ", "\u00a0"), text)
    lines = textwrap.wrap(whole, max(console.width, 20), break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\u00a0", " ")


def _show_table(frame: pd.DataFrame) -> None:
    if frame.empty:
        console.print("(nothing)")
        return
    cells = {str(name): [_shown(str(name), value) for value in frame[name].head(ROWS)] for name in frame}
    numbers = {str(name) for name in frame if pd.api.types.is_numeric_dtype(frame[name])}
    if not _fits({name: _widest(name, texts) for name, texts in cells.items()}):
        for name in [name for name in cells if name not in numbers and len(cells[name]) > 1]:
            if len(set(cells[name])) == 1:  # the same in every row: said once, above
                console.print(_plain(f"{name}: {cells.pop(name)[0]}"), highlight=False)
    widths = _widths(cells, numbers)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, width in widths.items():
        table.add_column(_plain(name), justify="right" if name in numbers else "left", width=width, overflow="fold")
    folded = {name: ["\n".join(textwrap.wrap(text, width)) for text in cells[name]] for name, width in widths.items()}
    for row in zip(*folded.values(), strict=True):
        table.add_row(*map(_plain, row))
    console.print(table)
    if len(frame) > ROWS:
        console.print(f"... and {len(frame) - ROWS:,} more rows", highlight=False)
    if hidden := [name for name in cells if name not in widths]:
        shown = ", ".join(hidden[:12]) + (", ..." if len(hidden) > 12 else "")
        word = "column" if len(hidden) == 1 else "columns"
        console.print(_plain(_folded(f"... and {len(hidden)} more {word}: {shown}")), highlight=False, soft_wrap=True)


def _widths(cells: dict[str, list[str]], numbers: set[str]) -> dict[str, int]:
    """The width of each column that is shown: numbers stay whole, text is folded between words.

    Where that is not enough, very long words are folded, too, and then the last columns are left out.
    """
    given = {name: _widest(name, texts) for name, texts in cells.items()}
    least = given
    for longest in LONGEST_WORDS:
        words = {name: _widest(name, BREAKS.split(" ".join(cells[name]))) for name in cells}
        least = {name: given[name] if name in numbers else min(words[name], longest) for name in cells}
        if _fits(least):
            break
    while len(given) > 1 and not _fits({name: least[name] for name in given}):
        given.popitem()
    while not _fits(given) and (room := {name: width for name, width in given.items() if width > least[name]}):
        given[max(room, key=lambda name: room[name])] -= 1
    return given


def _widest(*texts: str | list[str]) -> int:
    return max(cell_len(text) for one in texts for text in ([one] if isinstance(one, str) else one))


def _fits(widths: dict[str, int]) -> bool:
    return sum(widths.values()) + APART * (len(widths) - 1) <= console.width


def _shown(name: str, value: Any) -> str:
    if name == "p" and isinstance(value, float) and value == value:
        return "< .001" if value < 0.001 else f"{value:.3f}"
    return label(value) if name == "term" and isinstance(value, str) else _cell(value)


def _cell(value: Any) -> str:
    if hasattr(value, "__len__") and not isinstance(value, str):
        shown = ", ".join(_cell(one) for one in list(value)[:4])
        return f"{shown}, ..." if len(value) > 4 else shown
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return ""
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return str(value.date())
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.4g}"
    return str(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and value > 9999 else value)


# verbs


def _verb(method: Callable[..., Any]) -> Callable[..., None]:
    """A command from a method of Corpus: the same arguments and help, without ``self``."""
    hints = get_type_hints(method, include_extras=True)
    parameters = [
        parameter.replace(annotation=_from_shell(hints[name]))
        for name, parameter in inspect.signature(method).parameters.items()
        if name != "self"
    ]

    def command(*words: Any, **options: Any) -> None:
        show(method(_corpus.open(), *words, **options), options.get("out"))

    command.__doc__ = method.__doc__
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    setattr(command, "__signature__", inspect.Signature(parameters))  # noqa: B010
    return command


def _from_shell(hint: Any) -> Any:
    """A type without what only Python can give, such as a DataFrame."""
    if get_origin(hint) is Annotated:
        inner, *notes = get_args(hint)
        return Annotated[_from_shell(inner), *notes]
    if get_origin(hint) in (Union, types.UnionType):
        kept = tuple(one for one in get_args(hint) if one not in (pd.DataFrame, Measure))
        kept = tuple(one for one in kept if not (one is Path and str in kept))
        return Union[kept]  # noqa: UP007
    return str if hint is Any else hint


TITLES = {chapter: (chapter.__doc__ or chapter.__name__).rstrip(".") for chapter in Corpus.CHAPTERS}
GROUP = {title: Group(title, sort_key=order) for order, title in enumerate(dict.fromkeys(TITLES.values()))}
CHAPTERS = {chapter: GROUP[title] for chapter, title in TITLES.items()}  # chapters of one title are one group
ABOUT = Group("About", sort_key=len(CHAPTERS))


def _register_verbs() -> None:
    for chapter, group in CHAPTERS.items():
        for name, method in vars(chapter).items():
            if inspect.isfunction(method) and not name.startswith("_") and name not in PYTHON_ONLY:
                _register(_verb(method), name, group)


def _register(command: Callable[..., None], name: str, group: Group) -> None:
    """Make a command of a method; where its name begins with that of a group of verbs, inside of that group."""
    words = name.split("_")
    if words[0] not in GROUPS:
        app.command(command, name=name.replace("_", "-"), group=group)
        return
    inside = app
    for depth in range(1, len(words)):
        if words[depth - 1] not in inside:
            about, shown = GROUPS[" ".join(words[:depth])], group if inside is app else None
            inside.command(App(name=words[depth - 1], help=about, group=shown, version_flags=[]))
        inside = inside[words[depth - 1]]
    inside.command(command, name=words[-1])


@app.command(group=CHAPTERS[Corpus.CHAPTERS[0]])
def init(folder: Path = Path(), *, name: str | None = None, about: str | None = None) -> None:
    """Make a corpus in a folder.

    Args:
        folder: where; made if it is not there.
        name: the study's name; the folder's by default.
        about: what the study asks, in a sentence or two; opens its report.
    """
    made = Corpus.init(Path(_corpus.folder) / folder, name=name, about=about)
    show(f"A corpus in {made.folder}. Add pictures to it with 'visanda add FOLDER'.")


_register_verbs()
app.command(demo, group=ABOUT)


@app.command(group=ABOUT)
def measures() -> None:
    """What can be measured, with arguments and sources."""
    rows = [(one.name, one.summary, ", ".join(one.parameters), _pixels(one.size), one.source) for one in registered()]
    show(pd.DataFrame(rows, columns=["measure", "what", "arguments", "pixels", "source"]))


def _pixels(size: object) -> str:
    """The shorter side that a measure sees, for people."""
    return "its model's" if callable(size) else str(size or "all")


@app["models"].default
def models() -> None:
    """The models inside, with licence, source, use and limits."""
    for model in MODELS.values():
        console.print(f"[bold]{model.name}[/bold]: {model.task}", highlight=False)
        for field in ("licence", "source", "trained_on", "intended_use", "known_limits", "caution"):
            if not getattr(model, field):
                continue
            console.print(f"  {field.replace('_', ' ')}: {_plain(getattr(model, field))}", highlight=False)
