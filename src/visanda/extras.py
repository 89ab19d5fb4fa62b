"""Optional packages: imported when they are first needed, missed with the name of the extra that brings them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from visanda.errors import MissingExtra


def need(module: str, extra: str) -> ModuleType:
    """An optional package's module, such as ``faster_whisper``.

    Raises:
        MissingExtra: it is not installed; says which extra of visanda brings it.
    """
    if find_spec(module.partition(".")[0]) is None:
        raise MissingExtra(module.partition(".")[0], extra)
    return import_module(module)
