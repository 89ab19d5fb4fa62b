"""What the documentation says is so: its pages are what the code says, its examples run, its links lead somewhere."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import openpyxl
import pandas as pd
import pytest

import visanda
from visanda.corpus import Corpus
from visanda.measure import registered

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
MODULES = [found.name for found in pkgutil.walk_packages(visanda.__path__, "visanda.") if "__main__" not in found.name]


def load(path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


generate = load(ROOT / "docs/generate.py")
VERBS = generate.verbs()


def read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def blocks(path: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", read(path), re.S)


# what the code says


@pytest.mark.parametrize("path", generate.pages(), ids=lambda path: path.stem)
def test_a_generated_page_is_up_to_date(path: Path):
    assert path.read_text("utf-8") == generate.pages()[path], "run 'make docs'"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_and_each_of_its_options_have_help_and_a_place_in_the_documentation(verb: str):
    assert generate.command(verb).help
    page = read("docs/guide/commands.md")
    section = re.split(r"^##+ ", page.partition(f"### visanda {verb}\n")[2], maxsplit=1, flags=re.M)[0]
    assert section, f"{verb} is not in commands.md"
    for option in generate.options(verb):
        assert option.parameter.help, f"visanda {verb}: {option.names[0]} has no help"
        assert f"| `{generate.written(option)[0]}` |" in section, f"{option.names[0]} is not in commands.md"


@pytest.mark.parametrize("measure", list(registered()), ids=lambda measure: measure.name)
def test_a_measure_and_each_of_its_columns_are_explained(measure):
    section = re.split(r"^## ", read("docs/guide/measures.md").partition(f"## {measure.name}\n")[2], flags=re.M)[0]
    assert section, f"{measure.name} is not in measures.md"
    explained = inspect.getdoc(measure.implementation) or ""
    if "model" in generate.needs(measure):  # a model of a hub decides its columns
        return
    example = generate.example_of(measure)
    for name in [*example.columns, *example.per_picture]:
        family = name.split("_")[0] + "_"  # share_black … share_pink are explained together
        assert f"`{name}`" in section
        assert f"``{name}``" in explained or f"``{family}" in explained, f"{name} is not explained"


@pytest.mark.parametrize("name", visanda.__all__)
def test_a_public_name_has_a_docstring(name: str):
    assert (getattr(visanda, name).__doc__ or "").strip()


def test_each_dependency_is_listed_with_its_reason():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *(one for some in project["optional-dependencies"].values() for one in some)]
    names = {re.split(r"[\[<>=~! ]", requirement)[0] for requirement in wanted}
    listed = re.findall(r"^\| `([\w-]+)` \| \S.* \| \S.* \|$", read("docs/design/dependencies.md"), re.M)
    assert set(listed) == names - {"visanda"}  # an extra of ours may bring another


# what runs


@pytest.fixture
def study(sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Half of the sample photos, and a coder who has coded all of them, in the current folder."""
    for photo in sorted((sample / "photos").iterdir())[1::2]:
        photo.unlink()
    known = pd.read_csv(sample / "photos.csv")
    coded = known[["filename", "living"]].rename(columns={"living": "value"})
    coded.to_csv(sample / "anna.csv", index=False)
    monkeypatch.chdir(sample)
    return sample


def python(code: str, folder: Path) -> str:
    """Run code as a user would, in a process of its own; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_python_of_the_readme_runs(study: Path):
    code, on_a_table = blocks("README.md", "python")
    assert "corrected (DSL)" in python(code, study)
    random = np.random.default_rng(1)
    protest = random.integers(0, 2, 600) * 1.0
    posts = pd.DataFrame({"x": random.normal(size=600) + protest, "p_protest": 0.1 + 0.8 * protest, "pi": 0.5})
    posts.assign(protest=pd.Series(protest).where(random.random(600) < 0.5)).to_csv(study / "posts.csv", index=False)
    python(on_a_table, study)
    assert (study / "table.docx").stat().st_size > 10_000
    assert (study / "my-study/results/report.html").stat().st_size > 100_000


def test_the_commands_of_the_readme_run(study: Path):
    pictures, videos, faces, _ = blocks("README.md", "console")
    printed = [generate.run_command(command) for command in generate.commands_of(pictures)]
    assert "corrected (DSL)" in printed[-2]
    assert printed[-1].strip().endswith("report.html")
    printed = [generate.run_command(command) for command in generate.commands_of(videos)]
    assert "Chamber TV" in printed[-2] and "6 shots" in printed[-1]
    printed = [generate.run_command(command) for command in generate.commands_of(faces)]
    assert "faces: " in printed[0] and "faces hidden" in printed[-1]


def test_the_commands_of_the_readme_for_codes_run(study: Path):
    known = pd.read_csv("photos.csv")
    known["outlet"] = ["Morning Post", "Evening Herald"] * (len(known) // 2)
    known.to_csv("photos.csv", index=False)
    for command in ("visanda init protests", "cd protests", "visanda add ../photos --metadata ../photos.csv"):
        generate.run_command(command)
    *_, commands = blocks("README.md", "console")
    smaller = commands.replace("--n 400", "--n 80").replace("--epochs 20", "--epochs 1")
    assert smaller.count("80") == smaller.count("--epochs 1") == 1
    printed = {}
    for command in generate.commands_of(smaller):
        for coder in ("anna", "ben") if "--coder anna" in command else ("anna",):
            if "--import" in command:
                fill(Path(f"{coder}.xlsx"), known.set_index("filename")["living"])
            printed[command.split()[1]] = generate.run_command(
                command.replace("anna.xlsx --coder anna", f"{coder}.xlsx --coder {coder}")
            )
    assert "Krippendorff" in printed["reliability"]
    assert "Morning Post" in printed["evaluate"] and "linear" in printed["evaluate"]
    assert (Path("model") / "model.onnx").stat().st_size > 1_000_000


def fill(sheet: Path, value: pd.Series) -> None:
    """Fill in a spreadsheet as a coder would, with what is known of each picture."""
    book = openpyxl.load_workbook(sheet)
    names = [cell.value for cell in book["codes"][1]]
    files = Corpus(".").frame("SELECT id, filename FROM media").set_index("id")["filename"]
    for row in book["codes"].iter_rows(min_row=2):
        row[names.index("value")].value = value[files[row[names.index("id")].value]]
    book.save(sheet)


@pytest.mark.parametrize("path", [str(path.relative_to(ROOT)) for path in generate.PLAYED])
def test_a_page_prints_what_it_says(path: str):
    page = read(path)
    again = generate.replay(page)
    assert first_lines(again) == first_lines(page), "run 'make docs'"
    for now, before in zip(printed_by_python(again), printed_by_python(page), strict=True):
        assert NUMBER.sub("#", now).split() == NUMBER.sub("#", before).split()
        # another processor sums in another order, and a picture in doubt may fall to the other side
        numbers, expected = (np.array([float(one) for one in NUMBER.findall(text)]) for text in (now, before))
        assert numbers == pytest.approx(expected, rel=0.1, abs=0.1), "run 'make docs'"


NUMBER = re.compile(r"\d+(?:\.\d+)?")


def printed_by_python(page: str) -> list[str]:
    """What the page's Python printed, thousands without commas."""
    return [block.replace(",", "") for kind, block in generate.blocks(page) if kind == "text"]


def first_lines(page: str) -> list[tuple[str, str]]:
    """Each command, and the first line of what it printed."""
    console = "\n".join(block for kind, block in generate.blocks(page) if kind == "console")
    return re.findall(r"^\$ (.*)\n(?!\$)(.*)$", console, re.M)


@pytest.mark.parametrize("page", ["docs/guide/estimate.md", "docs/guide/python.md"])
def test_the_python_of_a_page_runs(study: Path, page: str):
    """Block after block, as a reader would; what one prints stands below it."""
    mark = "-- next block --"
    text = re.findall(r"^```(python|text)\n(.*?)^```", read(page), flags=re.M | re.S)
    code = [what for kind, what in text if kind == "python"]
    printed = iter(python(f"\nprint({mark!r})\n".join(code), study).split(f"{mark}\n"))
    now = ""
    for kind, what in text:
        if kind == "python":
            now = next(printed)
        else:
            assert now == what


def test_the_folder_opens_as_the_page_of_the_corpus_says(study: Path):
    for command in ("visanda init nature-study", "visanda -C nature-study add photos"):
        generate.run_command(command)
    generate.run_command("visanda -C nature-study measure colour --limit 5")
    (code,) = blocks("docs/guide/corpus.md", "python")
    assert python(code + "print(len(colour), colour['error'].isna().all())", study).strip() == "5 True"
    (query,) = blocks("docs/guide/corpus.md", "sql")
    query = query.replace("category", "format")  # these pictures were added without a table
    assert "WebP" in python(f"import duckdb\nprint(duckdb.sql('''{query}'''))", study)


def test_the_measure_of_the_contributors_guide_is_one(study: Path):
    (measure,) = blocks("CONTRIBUTING.md", "python")
    (study / "lighting.py").write_text(measure, "utf-8")
    use = """
        import pandas as pd, lighting, visanda as vi
        corpus = vi.Corpus.init("study")
        corpus.add("photos")
        corpus.measure("lighting", limit=20)
        values = corpus.join("lighting")["lighting_key"].dropna()
        assert len(values) == 20 and values.between(0, 0.33).all() and values.nunique() == 20
        print(corpus.describe("lighting")["source"])
    """
    assert "Rasheed" in python(inspect.cleandoc(use), study)


def test_a_measure_of_another_package_is_found_by_its_entry_point(study: Path):
    (measure,) = blocks("CONTRIBUTING.md", "python")
    (toml,) = blocks("CONTRIBUTING.md", "toml")
    (study / "my_package").mkdir()
    (study / "my_package/__init__.py").touch()
    (study / "my_package/lighting.py").write_text(measure, "utf-8")
    ((group, entries),) = tomllib.loads(toml)["project"]["entry-points"].items()
    installed = study / "my_package-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n", "utf-8")
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    assert "lighting" in python("from visanda.cli import main; main(['measures'])", study)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_docstrings_run(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(import_module(module)).failed == 0


# what leads somewhere


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{target} is not there"
        if anchor and not anchor.startswith("visanda."):  # those are made from docstrings
            assert anchor in anchors(file), f"{file.name} has no heading #{anchor}"


def test_every_page_is_in_the_navigation():
    nav = read("mkdocs.yml")
    for page in (ROOT / "docs").rglob("*.md"):
        assert f": {page.relative_to(ROOT / 'docs').as_posix()}" in nav


def test_the_picture_of_the_readme_is_small():
    assert (ROOT / "docs/images/report.png").stat().st_size < 400_000
