"""Pseudonyms: names for files, coders and groups that say nothing, made with a key that stays at home.

A pseudonym is the beginning of HMAC-SHA256(key, name): the same key gives the same pseudonym each time, and without
the key nobody can compute it, not even for a name that is guessed (Krawczyk, Bellare & Canetti 1997, RFC 2104).
"""

from __future__ import annotations

import hmac
import os
import secrets
import tomllib
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from visanda.codebook import PAIR
from visanda.errors import CorpusError, InputError
from visanda.units import parse

DIGITS = 16  # of a file's pseudonym, hexadecimal: 64 bits; a collision among 10 million files has odds of 1 in 370,000
SHORT = 10  # of a coder's or a group's
KEY_BYTES = 32


class Pseudonyms:
    """The pseudonyms that one key gives.

    Args:
        key: secret bytes.
        names: leave the names of files as they are.
    """

    def __init__(self, key: bytes, *, names: bool = False) -> None:
        self._key = key
        self.kept = names
        self._files: dict[str, str] = {}

    def unit(self, id: str) -> str:
        """The id of the same unit in a copy: the file's pseudonym, time and box as they were.

        >>> Pseudonyms(b"a secret").unit("news.mp4#t=1.5&xywh=1,2,30,40").partition("#")[2]
        't=1.5&xywh=1,2,30,40'
        """
        file, mark, fragment = split(id)
        return self._file(file) + mark + fragment

    def pair(self, id: str) -> str:
        """The id of a unit, or of two that were compared, such as ``a.jpg <> b.jpg``."""
        return PAIR.join(map(self.unit, id.split(PAIR)))

    def _file(self, file: str) -> str:
        if self.kept:
            return file
        if file not in self._files:
            self._files[file] = "u" + self._digits("file", file, DIGITS)
        return self._files[file]

    def value(self, column: str, value: str) -> str:
        """What stands for a value of a column: equal where values are equal, and else without meaning."""
        return "g" + self._digits(f"value of {column}", value, SHORT)

    def coder(self, name: str) -> str:
        """What stands for a coder."""
        return "coder_" + self._digits("coder", name, SHORT)

    def files(self, ids: Iterable[str]) -> dict[str, str]:
        """The pseudonym of each file.

        Raises:
            InputError: two files would share one.
        """
        found = {file: self._file(file) for file in sorted({split(id)[0] for id in ids})}
        shared = [name for name, count in Counter(found.values()).items() if count > 1]
        if shared:
            raise InputError(f"two files would share the pseudonym {shared[0]}: share with another --key")
        return found

    def _digits(self, what: str, name: str, digits: int) -> str:
        text = f"{what}\0{name}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256").hex()[:digits]


def split(id: str) -> tuple[str, str, str]:
    """A unit's id as file, ``#`` and fragment; what is no fragment of time or box counts as part of the name."""
    with suppress(InputError):
        parse(id)
        file, mark, fragment = id.partition("#")
        return file, mark, fragment
    return id, "", ""


def read_key(path: Path) -> bytes:
    """The key in a file; made, for the owner's eyes only, where there is none.

    Raises:
        CorpusError: it cannot be written, or holds no key.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            _make(path)
        key = bytes.fromhex(tomllib.loads(path.read_text("utf-8"))["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{path} holds no key for pseudonyms: restore it from a backup, or name another") from error
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror or error}") from error
    if len(key) < KEY_BYTES // 2:
        raise CorpusError(f"the key in {path} is too short to be safe: {len(key)} bytes, not {KEY_BYTES}")
    return key


def _make(path: Path) -> None:
    if path.exists():
        raise FileExistsError
    text = (
        "# The key to the pseudonyms of 'visanda share'. Whoever has it can tell which file a pseudonym stands for:\n"
        "# never publish it, and keep a backup where the pictures are kept.\n"
        f'key = "{secrets.token_hex(KEY_BYTES)}"\n'
    )
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
