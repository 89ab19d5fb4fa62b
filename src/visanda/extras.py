"""Optional packages: imported when they are first needed, missed with the name of the extra that brings them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from visanda.errors import MissingExtra, VisandaError


def need(module: str, extra: str) -> ModuleType:
    """An optional package's module, such as ``faster_whisper``.

    Raises:
        MissingExtra: it is not installed; says which extra of visanda brings it.
        VisandaError: it is, and cannot be loaded.
    """
    if find_spec(module.partition(".")[0]) is None:
        raise MissingExtra(module.partition(".")[0], extra)
    try:
        return import_module(module)
    except (ImportError, OSError, RuntimeError) as error:
        raise VisandaError(
            f"{module} is installed and cannot be loaded: {str(error).splitlines()[0]}. Often two packages do not fit "
            f'each other: install the extra anew in a fresh environment, pip install ".[{extra}]"'
        ) from error
