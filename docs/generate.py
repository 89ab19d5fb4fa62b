"""Write the pages that say what the code says: commands, measures, models, and what the first study prints.

``python docs/generate.py`` (``make docs`` runs it). tests/test_docs.py fails where a page is not what this would
write, so a verb, an option, a column or a model cannot be missing from the documentation.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from cyclopts import App

import visanda
from visanda import cli
from visanda.measure import ColumnType, Measure, Registered, Vector, registered
from visanda.media.transform import STEPS
from visanda.models import MODELS

DOCS = Path(__file__).parent
MADE = "<!-- Written by docs/generate.py from the code: change the code, then 'make docs'. -->"
PLAYED = tuple(DOCS / f"guide/{name}.md" for name in ("start", "classify", "video", "faces", "studies"))  # they are run
WIDTH = 100  # of what commands print on a page


def main() -> None:
    """Write every generated page."""
    for path, text in pages().items():
        path.write_text(text, "utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")
    for path in (*PLAYED, DOCS / "guide/estimate.md"):  # which is Python alone
        path.write_text(replay(path.read_text("utf-8")), "utf-8")
        print(f"ran {path.relative_to(DOCS.parent)}")


def pages() -> dict[Path, str]:
    """The pages that are made as a whole, by file."""
    return {
        DOCS / "guide/commands.md": commands(),
        DOCS / "guide/measures.md": measures(),
        DOCS / "design/models.md": models(),
    }


# docstrings


def sections(doc: str) -> dict[str, str]:
    """A Google docstring's parts: ``""`` what comes before all sections, then ``Args``, ``Returns`` and the rest."""
    parts = re.split(r"^(Args|Returns|Raises|Example):\n", doc.strip() + "\n", flags=re.M)
    found = {"": parts[0].strip()}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        block, _, after = body.partition("\n\n")
        found[name] = inspect.cleandoc(block)
        found[""] += "\n\n" + after.strip()
    return {name: text.strip() for name, text in found.items()}


def entries(block: str) -> dict[str, str]:
    """``name: text`` entries of a section, joined over their lines."""
    found: dict[str, str] = {}
    for line in block.splitlines():
        start = re.match(r"(\w+): (.*)", line)
        if start:
            found[start[1]] = start[2]
        elif found:
            found[list(found)[-1]] += " " + line.strip()
    return found


def prose(text: str) -> str:
    """Docstring text as Markdown: one line a paragraph, ``code`` as `code`."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    return "\n\n".join(paragraphs).replace("``", "`")


# commands


def commands() -> str:
    """Every verb with its arguments and options, in the chapters of ``visanda --help``."""
    lines = [
        "# Commands",
        MADE,
        "`visanda VERB ...` works on the corpus in the current folder; `visanda -C DIR VERB ...` on another. "
        "`visanda VERB --help` prints what stands here. Each verb but those under *About* is also a method of "
        "[`Corpus`](python.md), with the same arguments (`faces identify` is `faces_identify`). "
        "`--debug` shows where in the code an error was raised.",
    ]
    chapters: dict[str, list[str]] = {}
    for verb in verbs():
        group = cli.app[verb.split()[0]].group
        group = group[0] if isinstance(group, tuple | list) else group
        chapters.setdefault(str(getattr(group, "name", group)), []).append(verb)
    for chapter, names in chapters.items():
        lines.append(f"## {chapter}")
        for name in names:
            lines += _command(name)
    return "\n\n".join(lines) + "\n"


def verbs(app: App = cli.app, before: str = "") -> list[str]:
    """Every verb as it is typed, those of several words included."""
    found: list[str] = []
    for name in app:
        if not name.startswith("-"):
            inside = verbs(app[name], f"{before}{name} ")
            found += inside or [before + name]
    return found


def command(verb: str) -> App:
    """The command of a verb as it is typed."""
    found = cli.app
    for word in verb.split():
        found = found[word]
    return found


def options(verb: str) -> list[Any]:
    """The arguments and options of a verb, as cyclopts knows them."""
    return list(command(verb).assemble_argument_collection(parse_docstring=True))


def _command(verb: str) -> list[str]:
    doc = sections(inspect.cleandoc(command(verb).help or ""))
    words, rows = ["visanda", verb], ["| | what | |", "|---|---|---|"]
    for option in options(verb):
        name, required, default = written(option)
        if required or option.field_info.kind.name != "KEYWORD_ONLY":
            words.append(name if required else f"[{name}]")
        what = prose(option.parameter.help or "").replace("|", r"\|")
        rows.append(f"| `{name}` | {what} | {'required' if required else default} |")
    lines = [f"### visanda {verb}", prose(doc[""]), f"```\n{' '.join(words)}\n```"]
    if len(rows) > 2:
        lines.append("\n".join(rows))
    if verb == "process":
        lines += ["What each step takes:", "\n".join(_steps())]
    if "Returns" in doc:
        lines.append(f"Gives back: {prose(doc['Returns'])}")
    return lines


def written(option: Any) -> tuple[str, bool, str]:
    """How an option is written, whether it must be given, and its default."""
    kind, name = option.field_info.kind.name, option.names[0]
    plain = name.lstrip("-").upper().replace("-", "_")
    if kind == "VAR_POSITIONAL":
        return f"{plain}...", False, ""
    if kind == "POSITIONAL_OR_KEYWORD":
        return plain, option.required, _default(option)
    if kind == "VAR_KEYWORD":
        return "--ARGUMENT VALUE", False, ""
    value = _value(option.hint)
    return f"{name} {value}".strip(), option.required, _default(option)


def _default(option: Any) -> str:
    default = option.field_info.default
    return "" if default in (inspect.Parameter.empty, None, False) else f"default `{default}`"


def _value(hint: Any) -> str:
    """What to write after an option: nothing for a flag, the choices, or the kind of value."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is Literal:
        return "{" + ",".join(map(str, get_args(hint))) + "}"
    kinds = {bool: "", int: "NUMBER", float: "NUMBER", Path: "PATH", list[str]: "NAMES"}
    return kinds.get(hint, "TEXT")


def _steps() -> Iterator[str]:
    for name, step in STEPS.items():
        doc = sections(inspect.getdoc(step) or "")
        what = prose(doc[""].split("\n")[0]).rstrip(".")
        takes = {arg: text for arg, text in entries(doc.get("Args", "")).items() if arg != "image"}
        yield f"- `{name}`: {what[0].lower()}{what[1:]}."
        yield from (f"    - `--{arg}`: {prose(text)}" for arg, text in takes.items())


# measures


def measures() -> str:
    """Every registered measure: columns with types and units, arguments, source."""
    lines = [
        "# Measures",
        MADE,
        "Each measure fills a table of its own: a row a picture with its `id`, the columns below, and `error`, which "
        "says why the others are empty where a picture could not be measured. `visanda measure NAME ...` runs "
        "several at once, and each picture is decoded once for all of them. `visanda measures` prints this list.",
        "**Pixels** says what a measure sees: where there is a number, pictures are first reduced (never enlarged) "
        "until their shorter side has that many pixels, so that values compare between resolutions.",
        "Measures of pictures run on frames inside videos as well, with `--on frame` or `--on shot`. Measures of video "
        "watch whole videos: their tables have a row a shot, a pair of frames or a second, with `parent` (the video), "
        "`start` and `stop` in seconds.",
    ]
    found = list(registered())
    plain = [one for one in found if not one.feed and not one.finds and one.on != "face"]
    lines += ["# Of pictures", *(line for one in plain for line in _measure(one))]
    lines += [
        "# Of things in pictures",
        "These find things in pictures, and in frames of videos with `--on frame`. Each fills two tables: one with a "
        "row a thing (`parent`, the file; `picture`, the picture or frame; `start` and `stop` in a video; the box as "
        "`x`, `y`, `width` and `height` in pixels), and `<measure>_by_picture` with a row for every picture that was "
        "looked at, with or without things. Measures of pictures run on boxes with `--on face` or `--on object`.",
        *(line for one in found if one.finds for line in _measure(one)),
    ]
    lines += ["# Of faces", "With `--on face`, after `visanda measure faces`."]
    lines += [line for one in found if one.on == "face" for line in _measure(one)]
    lines += ["# Of videos", *(line for one in found if one.feed for line in _measure(one))]
    return "\n\n".join(lines) + "\n"


def _measure(measure: Registered) -> list[str]:
    doc = sections(inspect.getdoc(measure.implementation) or "")
    summary, _, more = doc[""].partition("\n\n")
    example = None if "model" in needs(measure) else example_of(measure)  # a model of a hub decides its columns
    facts = [f"- **Source**: {measure.source}", _sees(measure)]
    if example and (models := [card.name for card in example.models]):
        named = ", ".join(f"[{name}](../design/models.md#{name})" if name in MODELS else name for name in models)
        facts.append(f"- **Models**: {named}")
    args = {name: text for name, text in entries(doc.get("Args", "")).items() if name in measure.parameters}
    facts += [f"- `--{name}`: {prose(text)}{_needed(measure, name)}" for name, text in args.items()]
    types = [f"Columns and types: {_listed(example.columns)}."] if example else []
    if example and example.finds:
        types.append(f"Of the table `{measure.name}_by_picture`: {_listed(example.per_picture)}.")
    meaning = re.split(r"; (?=`)", prose(doc.get("Returns", "")))
    return [
        f"## {measure.name}",
        prose(summary),
        "\n".join(facts),
        "What the columns hold:",
        "\n".join(f"- {text}" for text in meaning),
        *types,
        *([prose(more)] if more else []),
    ]


def _sees(measure: Registered) -> str:
    """What a measure is fed with."""
    if callable(measure.size):
        size = "as many as its model takes"
    else:
        size = f"shorter side at most {measure.size}" if measure.size else "all"
    if measure.feed is None:
        return f"- **Pixels**: {size}"
    if measure.feed.of == "sound":
        return "- **Hears**: the first sound track, mono, 16,000 samples a second"
    return f"- **Sees**: every frame in {'grey' if measure.feed.of == 'grey' else 'colour'}, {size} pixels"


def example_of(measure: Registered) -> Measure:
    """A measure with its arguments; where labels decide its columns, ``one`` and ``two``."""
    return measure(**{name: ["one", "two"] for name in needs(measure)})


def needs(measure: Registered) -> list[str]:
    """The arguments that must be given."""
    return [name for name, one in measure.parameters.items() if one.default is inspect.Parameter.empty]


def _listed(columns: Mapping[str, ColumnType]) -> str:
    return ", ".join(f"`{name}` {_typed(declared)}" for name, declared in columns.items())


def _needed(measure: Registered, name: str) -> str:
    default = measure.parameters[name].default
    if default is inspect.Parameter.empty:
        return " (required)"
    return f" (default {default})" if default != "" else ""


def _typed(declared: ColumnType) -> str:
    if isinstance(declared, Vector):
        return f"list of {declared.length} numbers (float16)"
    names = {str: "text", float: "number", int: "whole number", bool: "true or false"}
    if get_origin(declared) is list:
        return {str: "list of texts", float: "list of numbers"}[get_args(declared)[0]]
    return names[declared]


# models


def models() -> str:
    """The card of every model that comes with visanda."""
    lines = [
        "# Models",
        MADE,
        "These models come with `pip install .`: they run offline, on a CPU. The table of what a measure made holds "
        "the whole card of each model it used (`tables/<measure>/measure.json`), and the report prints it.",
    ]
    for model in MODELS.values():
        card = {name: text for name, text in model.card().items() if name not in ("name", "task") and text}
        lines += [f"## {model.name}", f"{model.task[0].upper()}{model.task[1:]}."]
        lines.append("\n".join(f"- **{name.replace('_', ' ')}**: {text}" for name, text in card.items()))
    return "\n\n".join(lines) + "\n"


# a page whose commands are run

BLOCK = re.compile(r"```(console|python|text)\n(.*?)```", re.S)


def blocks(markdown: str) -> list[tuple[str, str]]:
    """The blocks of a page that run, and what they print: ``console``, ``python`` or ``text``, and what is in them."""
    return [(found[1], found[2]) for found in BLOCK.finditer(markdown)]


def commands_of(console: str) -> list[str]:
    """The commands of a console block: what stands after ``$``, with the lines it goes on in."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", console, re.M)


def run_command(command: str) -> str:
    """Run one command of a page in the current folder; what it prints."""
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    cli.console.width = WIDTH
    if words[0] == "cd":
        os.chdir(words[1])
    elif words[0] == "python":
        return subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, check=True).stdout
    elif words[0] == "cp":
        assert words[:2] == ["cp", "-r"], command
        shutil.copytree(Path(visanda.__file__).parents[2] / words[2], words[3])
    elif words[0] == "visanda":
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            try:
                cli.main(words[1:])
            except SystemExit as end:
                assert not end.code, f"{command}: ended with {end.code}"
        return printed.getvalue()
    else:
        raise ValueError(f"cannot run {command!r}")
    return ""


def replay(markdown: str) -> str:
    """A page with what its commands and its Python really print, run in order on the sample photos and videos.

    What Python prints stands in a block of text below it, or nowhere.
    """
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        here = str(Path.cwd())
        names: dict[str, Any] = {}
        last = ""

        def run(found: re.Match[str]) -> str:
            nonlocal last
            kind, text = found[1], found[2]
            if kind == "text":
                return f"```text\n{cut(last)}```"
            if kind == "python":
                with contextlib.redirect_stdout(io.StringIO()) as output, contextlib.redirect_stderr(io.StringIO()):
                    exec(compile(text, "a page", "exec"), names)
                last = output.getvalue()
                return found[0]
            shown = [f"$ {command}\n{printed(command)}" for command in commands_of(text)]
            return f"```console\n{''.join(shown)}```"

        def printed(command: str) -> str:
            return cut(run_command(command))

        def cut(output: str) -> str:
            return "".join(f"{line.rstrip()}\n" for line in output.replace(here + "/", "").splitlines())

        try:
            return BLOCK.sub(run, markdown)
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
