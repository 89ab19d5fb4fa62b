"""``codebook.toml`` as people keep it, and the versions of it that codes were given under."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from visanda.codebook.variable import Variable, checked
from visanda.errors import InputError
from visanda.parts import locked, write_bytes

FILE = "codebook.toml"
KEYS = ("scale", "values", "low", "high", "on", "definition", "meanings", "prompts", "examples")
TEXTS, NUMBERS = ("scale", "on", "definition"), ("low", "high")
HEADER = "The codebook: a table a variable. Edit freely; 'visanda codebook' checks it."


def read(folder: Path) -> dict[str, Variable]:
    """All variables of a corpus's codebook, by name, each with its version.

    Raises:
        InputError: the file cannot be read, or a variable makes no sense; says which and why.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    found = {name: _from_table(path, name, table) for name, table in _parsed(path).unwrap().items()}
    return {name: replace(one, version=_version(folder, one)) for name, one in found.items()}


def variable(folder: Path, name: str) -> Variable:
    """One variable; one that nobody has defined is nominal and takes any value."""
    return read(folder).get(name) or Variable(name)


def undefined(folder: Path, name: str) -> bool:
    """Whether nobody has defined a variable."""
    return name not in read(folder)


def define(folder: Path, given: Variable) -> Variable:
    """Write a variable into the codebook; comments and what else stands there stay.

    Raises:
        InputError: it makes no sense, or the file cannot be read.
    """
    given = checked(given)
    path = folder / FILE
    with locked(path):
        document = _parsed(path) if path.exists() else _new()
        if given.name not in document:
            document.add(given.name, tomlkit.table())
        _fill(document[given.name], given)
        write_bytes(path, tomlkit.dumps(document).encode())
    return variable(folder, given.name)


def as_toml(given: Iterable[Variable], comment: str = HEADER) -> str:
    """Variables as the text of a codebook, under a comment."""
    document = tomlkit.document()
    document.add(tomlkit.comment(comment))
    for one in given:
        document.add(one.name, tomlkit.table())
        _fill(document[one.name], one)
    return tomlkit.dumps(document)


def take(folder: Path, source: Path) -> list[str]:
    """Take over the variables of another codebook; those that are not in it stay. Returns their names.

    Raises:
        InputError: it is not there, cannot be read, or makes no sense.
    """
    if not source.is_file():
        raise InputError(f"there is no file {source}")
    brought = _parsed(source)
    found = {name: _from_table(source, name, table) for name, table in brought.unwrap().items()}
    if not found:
        raise InputError(f"{source} has no variable: write a table a variable, as in [protest]")
    path = folder / FILE
    with locked(path):
        if not path.exists():
            write_bytes(path, tomlkit.dumps(brought).encode())
            return list(found)
        document = _parsed(path)
        for name in found:
            document[name] = brought[name]
        write_bytes(path, tomlkit.dumps(document).encode())
    return list(found)


# versions


def versions(folder: Path, name: str) -> list[Variable]:
    """What coders were asked, each version that codes were given under, the first first."""
    found = []
    for path in (folder / "codes" / name).glob("codebook-*.toml"):
        number = path.stem.removeprefix("codebook-")
        if number.isdigit():
            found.append(replace(_from_table(path, name, _parsed(path).unwrap().get(name, {})), version=int(number)))
    return sorted(found, key=lambda one: one.version)


def pin(folder: Path, name: str) -> int | None:
    """Keep what coders are asked now, since codes come in; the number of that version, none where undefined."""
    if undefined(folder, name):
        return None
    now = variable(folder, name)
    path = folder / "codes" / name / f"codebook-{now.version}.toml"
    if not path.exists():
        text = as_toml([now], f"Version {now.version}, under which codes were given. Leave it as it is.")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, text.encode())
    return now.version


def changes(before: Variable, after: Variable) -> list[str]:
    """What coders are asked otherwise than before, a phrase a change; empty where it is the same to them."""
    said = []
    for key in KEYS:
        old, new = getattr(before, key), getattr(after, key)
        if key != "prompts" and _plain(old) != _plain(new):
            said.append(f"{key}: {_shown(old)} → {_shown(new)}")
    return said


def _version(folder: Path, now: Variable) -> int:
    kept = versions(folder, now.name)
    if not kept:
        return 1
    return kept[-1].version + (1 if changes(kept[-1], now) else 0)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} = {_shown(one)}" for name, one in value.items()) or "nothing"
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return "nothing" if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)


# TOML


def _new() -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    document.add(tomlkit.comment(HEADER))
    return document


def _parsed(path: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(path.read_bytes().decode("utf-8-sig"))
    except (TOMLKitError, ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}. Mend it, or restore it from a backup") from error


def _from_table(path: Path, name: str, table: Any) -> Variable:
    """A variable out of TOML.

    Raises:
        InputError: it is no table, has an unknown key, or something of the wrong type.
    """
    where = f"{path}: {name}"
    if not isinstance(table, dict):
        raise InputError(f"{where} stands outside of a variable: a variable is a table, as in [protest]")
    for key in table:
        if key not in KEYS:
            close = get_close_matches(key, KEYS, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise InputError(f"{where} has an unknown key {key!r}{hint}; there are: {', '.join(KEYS)}")
    given: dict[str, Any] = {}
    for key, value in table.items():
        if key in TEXTS:
            if not isinstance(value, str):
                raise InputError(f"{where}.{key} must be text in quotes, not {value!r}")
            given[key] = value.strip()
        elif key in NUMBERS:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise InputError(f"{where}.{key} must be a number, not {value!r}")
            given[key] = float(value)
        elif key == "values":
            given[key] = _words(f"{where}.{key}", value)
        else:
            given[key] = _mapping(f"{where}.{key}", value, several=key != "meanings")
    return checked(Variable(name, **given))


def _words(where: str, value: Any) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or any(isinstance(one, bool) or not isinstance(one, str | int) for one in listed):
        raise InputError(f'{where} must be a list of texts, as in ["yes", "no"], not {value!r}')
    return tuple(str(one) for one in listed)


def _mapping(where: str, value: Any, *, several: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a table with a line a value, not {value!r}")
    if several:
        return {str(name): _words(f"{where}.{name}", one) for name, one in value.items()}
    if bad := [name for name, one in value.items() if not isinstance(one, str)]:
        raise InputError(f"{where}.{bad[0]} must be text in quotes")
    return {str(name): one.strip() for name, one in value.items()}


def _fill(table: Table, given: Variable) -> None:
    """Bring a TOML table to what a variable says; lines that say it already stay as they are written."""
    default = Variable(given.name)
    for key in KEYS:
        value = _plain(getattr(given, key))
        there = table.get(key)
        if value == _plain(getattr(default, key)) and key != "scale":
            if there is not None:
                table.remove(key)
        elif isinstance(value, dict):
            if not isinstance(there, dict):
                table[key] = tomlkit.table()
            _fill_mapping(table[key], value)
        elif there is None or _plain(there.unwrap() if hasattr(there, "unwrap") else there) != value:
            table[key] = value


def _fill_mapping(table: Table, given: dict[str, Any]) -> None:
    for name in [name for name in table if name not in given]:
        table.remove(name)
    for name, value in given.items():
        there = table.get(name)
        if there is None or there.unwrap() != value:
            table[name] = value


def _plain(value: Any) -> Any:
    """As TOML holds it: lists for tuples, and whole numbers for floats that are."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
